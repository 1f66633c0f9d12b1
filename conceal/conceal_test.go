package conceal

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// pictures returns JPEGs of n moving pictures in so many strips.
func pictures(t testing.TB, n, strips int, size image.Point) (all [][]byte) {
	t.Helper()
	e, err := codec.NewEncoder(codec.EncoderConfig{Slices: strips})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	for i := range n {
		m := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		for y := range size.Y {
			for x := range size.X {
				m.Y[m.YOffset(x, y)] = byte(x*3 + y*5 + i*40 + (x*y)%31)
			}
		}
		for j := range m.Cb {
			m.Cb[j], m.Cr[j] = byte(128+i), byte(128-i)
		}
		b, err := e.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func gap(from, to int) fragment.Gap { return fragment.Gap{From: from, To: to} }

// damaged is a copy of b with rubbish in the gaps.
func damaged(b []byte, gaps ...fragment.Gap) *stream.Frame {
	b = bytes.Clone(b)
	for _, g := range gaps {
		for i := g.From; i < g.To; i++ {
			b[i] = byte(0xFF - i%3)
		}
	}
	f := stream.NewFrame(b)
	f.ID, f.Captured = 7, time.Unix(1, 0)
	return f
}

// spans are the bytes of the strips in b.
func spans(t testing.TB, b []byte) (all []fragment.Gap) {
	t.Helper()
	var s codec.Strips
	if err := s.Find(b); err != nil {
		t.Fatal(err)
	}
	at := 0
	for i := range s.Len() {
		all = append(all, gap(at, at+len(s.Piece(i))))
		at = all[i].To
	}
	return all
}

func decodes(t testing.TB, b []byte) {
	t.Helper()
	if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
		t.Fatalf("image/jpeg: %v", err)
	}
	var s codec.Strips
	if err := s.Find(b); err != nil {
		t.Fatalf("its strips: %v", err)
	}
}

// A strip that a gap touches is the one shown before, all others are its own.
func TestFillTakesTheLostStrips(t *testing.T) {
	p := pictures(t, 2, 8, image.Pt(160, 128))
	s := spans(t, p[1])
	var f Filler
	defer f.Close()
	f.Whole(stream.NewFrame(p[0]), 1)
	part := damaged(p[1], gap(s[2].From+20, s[2].From+30), gap(s[5].From+4, s[6].To-9))
	out := f.Fill(part, 1, []fragment.Gap{gap(s[2].From+20, s[2].From+30), gap(s[5].From+4, s[6].To-9)}, false)
	if out == nil {
		t.Fatalf("%+v", f.Counters())
	}
	defer out.Release()
	decodes(t, out.JPEG)
	if out.ID != part.ID || out.Captured != part.Captured {
		t.Error("the frame has another ID or time")
	}
	before, now := spans(t, p[0]), spans(t, out.JPEG)
	for i := range now {
		want := p[1][s[i].From:s[i].To]
		if i == 2 || i == 5 || i == 6 {
			want = p[0][before[i].From:before[i].To]
		}
		if !bytes.Equal(out.JPEG[now[i].From:now[i].To], want) {
			t.Errorf("strip %d is another", i)
		}
	}
	if c := f.Counters(); c.Filled != 1 || c.Strips != 3 || c.Tried != 1 {
		t.Errorf("%+v", c)
	}
}

// Fill goes on from what it has made: what is shown last is what counts.
func TestFillFollowsWhatIsShown(t *testing.T) {
	p := pictures(t, 3, 4, image.Pt(96, 64))
	var f Filler
	defer f.Close()
	f.Whole(stream.NewFrame(p[0]), 1)
	a, b := spans(t, p[1]), spans(t, p[2])
	first := f.Fill(damaged(p[1], a[1]), 1, []fragment.Gap{a[1]}, false)
	second := f.Fill(damaged(p[2], b[3]), 1, []fragment.Gap{b[3]}, false)
	if first == nil || second == nil {
		t.Fatalf("%+v", f.Counters())
	}
	decodes(t, second.JPEG)
	got := spans(t, second.JPEG)
	if !bytes.Equal(second.JPEG[got[3].From:got[3].To], p[1][a[3].From:a[3].To]) {
		t.Error("strip 3 is not that of the frame shown before")
	}
	first.Release()
	second.Release()
}

func TestFillDropsWhatCannotBeShown(t *testing.T) {
	p := pictures(t, 2, 4, image.Pt(96, 64))
	s := spans(t, p[1])
	other := pictures(t, 1, 4, image.Pt(112, 64))[0]
	whole := pictures(t, 1, 1, image.Pt(96, 64))[0]
	for name, c := range map[string]struct {
		last []byte
		gaps []fragment.Gap
		want Dropped
	}{
		"no frame was shown yet":       {nil, []fragment.Gap{s[1]}, Dropped{Unlike: 1}},
		"another size before":          {other, []fragment.Gap{s[1]}, Dropped{Unlike: 1}},
		"more than half is missing":    {p[0], []fragment.Gap{gap(s[1].From, s[3].To)}, Dropped{Missing: 1}},
		"the one before has no strips": {whole, []fragment.Gap{s[1]}, Dropped{Uncertain: 1}},
		"another header is missing":    {p[0], []fragment.Gap{gap(0, 40)}, Dropped{Unlike: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Filler
			defer f.Close()
			if c.last != nil {
				f.Whole(stream.NewFrame(c.last), 3)
			}
			if out := f.Fill(damaged(p[1], c.gaps...), 4, c.gaps, false); out != nil {
				t.Fatal("it was shown")
			}
			if got := f.Counters(); got.Dropped != c.want || got.Tried != got.Filled+got.Dropped.Sum() {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// A lost header is the last frame's, of the same generation only.
func TestFillPutsTheHeaderBack(t *testing.T) {
	p := pictures(t, 2, 8, image.Pt(160, 128))
	s := spans(t, p[1])
	lost := gap(0, s[0].From+700)
	for generation, want := range []bool{0: false, 5: true, 6: false} {
		var f Filler
		f.Whole(stream.NewFrame(p[0]), 5)
		out := f.Fill(damaged(p[1], lost), uint8(generation), []fragment.Gap{lost}, false)
		if (out != nil) != want {
			t.Errorf("generation %d: shown %v, want %v", generation, out != nil, want)
		}
		if out != nil {
			decodes(t, out.JPEG)
			out.Release()
		}
		f.Close()
	}
}

// Of a frame whose end is lost, and with it its length, the last strip is the one before.
func TestFillWithoutAnEnd(t *testing.T) {
	p := pictures(t, 2, 4, image.Pt(96, 64))
	s := spans(t, p[1])
	for _, end := range []int{s[3].To - 1, s[3].From + 3, s[3].From, s[3].From - 1, s[2].From + 5} {
		var f Filler
		f.Whole(stream.NewFrame(p[0]), 1)
		out := f.Fill(damaged(p[1][:end]), 1, nil, true)
		if out == nil {
			t.Fatalf("end at %d: %+v", end, f.Counters())
		}
		decodes(t, out.JPEG)
		out.Release()
		f.Close()
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("buffers are not used again with the race detector")
	}
	p := pictures(t, 2, 8, image.Pt(320, 256))
	s := spans(t, p[1])
	var f Filler
	defer f.Close()
	f.Whole(stream.NewFrame(p[0]), 1)
	part, gaps := damaged(p[1], s[3]), []fragment.Gap{s[3]}
	if n := testing.AllocsPerRun(100, func() {
		out := f.Fill(part, 1, gaps, false)
		if out == nil {
			t.Fatal(f.Counters())
		}
		out.Release()
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// Whatever comes, what is made of it is one whole JPEG in its strips.
func FuzzFill(f *testing.F) {
	p := pictures(f, 3, 6, image.Pt(48, 96))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		from := r.IntN(len(p[1]))
		f.Add(p[1], from, 1+r.IntN(200), r.IntN(len(p[1])), 0, true, uint8(3))
	}
	f.Add([]byte("\xff\xd8\xff\xd9"), 0, 2, 3, 1, false, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, at, size, at2, size2 int, open bool, generation uint8) {
		var gaps []fragment.Gap
		end := 0
		for _, g := range []fragment.Gap{gap(at, at+size), gap(at2, at2+size2)} {
			if g.From >= end && g.To > g.From && g.To <= len(b) {
				gaps, end = append(gaps, g), g.To
			}
		}
		var filler Filler
		defer filler.Close()
		filler.Whole(stream.NewFrame(p[0]), 3)
		out := filler.Fill(damaged(b, gaps...), generation, gaps, open)
		c := filler.Counters()
		if c.Tried != c.Filled+c.Dropped.Sum() {
			t.Fatalf("%+v do not balance", c)
		}
		if out == nil {
			return
		}
		var s codec.Strips
		if err := s.Find(out.JPEG); err != nil || s.Lost() > 0 {
			t.Fatalf("what is shown has no valid strips: %v", err)
		}
		out.Release()
	})
}
