package conceal

import (
	"bytes"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// Wherever the gaps are, and whatever is in them, each strip of what is shown is the frame's own, or
// at the same place the one before: never another, never half of one.
func TestEachStripIsItsOwnOrTheOneBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, strips := range []int{2, 7, 24} {
		p := pictures(t, 2, strips, image.Pt(64, 400))
		own, before := pieces(t, p[1]), pieces(t, p[0])
		filled := 0
		for range 400 {
			part := bytes.Clone(p[1])
			gaps := someGaps(r, part)
			open := r.IntN(4) == 0
			if open {
				end := len(part) - r.IntN(len(part)/4)
				gaps = slices.DeleteFunc(gaps, func(g fragment.Gap) bool { return g.From >= end })
				if n := len(gaps); n > 0 {
					gaps[n-1].To = min(gaps[n-1].To, end)
				}
				part = part[:end]
			}
			var f Filler
			f.Whole(stream.NewFrame(bytes.Clone(p[0])), 1)
			out := f.Fill(stream.NewFrame(part), 1, gaps, open)
			if out != nil {
				filled++
				got := pieces(t, out.JPEG)
				for i := range own {
					if !bytes.Equal(got[i], own[i]) && !bytes.Equal(got[i], before[i]) {
						t.Fatalf("%d strips, gaps %v, open %v: strip %d is neither", strips, gaps, open, i)
					}
					if clear := !touched(t, p[1], i, gaps) && (!open || i < len(own)/2); clear && !bytes.Equal(got[i], own[i]) {
						t.Fatalf("%d strips, gaps %v, open %v: strip %d has come, and is not shown", strips, gaps, open, i)
					}
				}
				out.Release()
			}
			f.Close()
		}
		if filled < 50 {
			t.Errorf("%d strips: only %d of 400 were filled", strips, filled)
		}
	}
}

// someGaps cuts up to three gaps into b, with what looks like markers in them.
func someGaps(r *rand.Rand, b []byte) (gaps []fragment.Gap) {
	at := 0
	if r.IntN(2) == 0 {
		at = 700 // the header stays
	}
	for range 1 + r.IntN(3) {
		from := at + r.IntN(max(len(b)-at-1, 1))
		to := min(from+1+r.IntN(len(b)/5), len(b))
		if to <= from {
			break
		}
		for i := from; i < to; i++ {
			b[i] = byte(r.Uint32())
			if i > from && b[i-1] == 0xFF || r.IntN(20) == 0 {
				b[i] = []byte{0xFF, 0xD0 + byte(r.IntN(10))}[r.IntN(2)]
			}
		}
		gaps, at = append(gaps, gap(from, to)), to+1
		if at >= len(b)-1 {
			break
		}
	}
	return gaps
}

// pieces are the strips' entropy-coded bytes.
func pieces(t *testing.T, b []byte) (all [][]byte) {
	t.Helper()
	var s codec.Strips
	if err := s.Find(b); err != nil {
		t.Fatal(err)
	}
	for i := range s.Len() {
		piece := s.Piece(i)
		if i == 0 {
			piece = piece[len(s.Head()):]
		}
		all = append(all, piece[:len(piece)-2]) // without the marker
	}
	return all
}

// touched reports whether a gap reaches into strip i, or into the marker before or behind it.
func touched(t *testing.T, b []byte, i int, gaps []fragment.Gap) bool {
	s := spans(t, b)[i]
	return slices.ContainsFunc(gaps, func(g fragment.Gap) bool { return g.From < s.To && g.To > s.From-2 })
}
