package codec

import (
	"bytes"
	"errors"
	"image"
	"slices"
	"testing"
)

// shots are two pictures of one camera: the same header, other data.
func shots(t testing.TB, n int, size image.Point) (now, before []byte) {
	e := newEncoder(t, EncoderConfig{Slices: n})
	m := photo(size.X, size.Y)
	now = encode(t, e, m)
	for i := range m.Pix {
		m.Pix[i] ^= 0x55
	}
	return now, encode(t, e, m)
}

// punch overwrites the holes.
func punch(jpeg []byte, holes []Hole) []byte {
	b := bytes.Clone(jpeg)
	for _, h := range holes {
		for i := range b[h.From:h.To] {
			b[h.From+i] = [...]byte{0xFF, mRST0 + 3, 0xFF, mEOI, 0, 0xFF}[i%6]
		}
	}
	return b
}

// TestConcealEveryCombination loses every combination of pieces but the first, which
// holds the header, and looks at what every strip shows.
func TestConcealEveryCombination(t *testing.T) {
	now, before := shots(t, 7, image.Pt(40, 105))
	s, e := find(t, now), find(t, before)
	if s.Len() != 7 {
		t.Fatal(s.Len())
	}
	for set := range 1 << 7 {
		if set&1 != 0 {
			continue
		}
		var holes []Hole
		var want []byte
		want = append(want, s.Head()...)
		at, lost := 0, 0
		for i := range s.Len() {
			end := at + len(s.Piece(i))
			from := s
			if set>>i&1 != 0 {
				from = e
				lost++
				if n := len(holes); n > 0 && holes[n-1].To == at {
					holes[n-1].To = end
				} else {
					holes = append(holes, Hole{From: at, To: end, Strip: true})
				}
			}
			at = end
			piece := from.Piece(i)
			if i == 0 {
				piece = piece[len(from.Head()):]
			}
			want = append(want, piece...)
		}
		damaged := new(Strips)
		if err := damaged.FindAround(punch(now, holes), holes); err != nil || damaged.Lost() != lost {
			t.Fatalf("%07b: %d lost, %v", set, damaged.Lost(), err)
		}
		got, n, err := damaged.AppendConcealed([]byte("kept"), e)
		if err != nil || n != lost || !bytes.Equal(got, append([]byte("kept"), want...)) {
			t.Fatalf("%07b: %d concealed, %v, or the JPEG is wrong", set, n, err)
		}
	}
}

// TestConcealAnyHole punches holes at all places: a strip that is found is the strip
// it is said to be, and no more are lost than the hole touches, or hides the markers
// of.
func TestConcealAnyHole(t *testing.T) {
	now, before := shots(t, 6, image.Pt(24, 90))
	s, e := find(t, now), find(t, before)
	var got Strips
	var out []byte
	for from := s.head.Data; from < len(now); from++ {
		for _, size := range []int{1, 2, 3, 50, 200, len(now)} {
			holes := []Hole{{From: from, To: min(from+size, len(now))}}
			in := punch(now, holes)
			if err := got.FindAround(in, holes); err != nil {
				t.Fatalf("%v: %v", holes, err)
			}
			for i := range got.span {
				a := s.span[i]
				touched := holes[0].From < a.to+2 && holes[0].To > a.from-2
				if got.Whole(i) == touched {
					t.Fatalf("%v: strip %d (%v) is there: %v", holes, i, a, !touched)
				}
				if got.Whole(i) && got.span[i] != a {
					t.Fatalf("%v: strip %d is taken for another", holes, i)
				}
			}
			var n int
			var err error
			if out, n, err = got.AppendConcealed(out[:0], e); err != nil || n != got.Lost() {
				t.Fatalf("%v: %d, %v", holes, n, err)
			}
			if err := got.Find(out); err != nil || got.Lost() != 0 {
				t.Fatalf("%v: concealed: %v", holes, err)
			}
		}
	}
}

// TestConcealShows decodes a concealed picture: rows of lost strips are those of the
// picture before, the others those of its own.
func TestConcealShows(t *testing.T) {
	now, before := shots(t, 4, image.Pt(64, 120))
	s, e := find(t, now), find(t, before)
	holes := []Hole{{From: s.span[1].from, To: s.span[2].from, Strip: true}, {From: s.span[3].from + 7, To: s.span[3].to}}
	out, n, err := find(t, punch(now, holes), holes...).AppendConcealed(nil, e)
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	d := newDecoder(t)
	var pictures [3]*BGR
	for i, jpeg := range [][]byte{now, before, out} {
		pictures[i] = ReuseBGR(nil, 64, 120)
		if err := d.DecodeBGR(pictures[i], jpeg); err != nil {
			t.Fatal(err)
		}
	}
	for y := range 120 {
		row := func(i int) []byte { return pictures[i].Pix[3*64*y:][:3*64] }
		if i := y / 32 % 2; !bytes.Equal(row(2), row(i)) {
			t.Errorf("row %d is not that of picture %d", y, i)
		}
	}
}

// TestConcealManyStrips: the numbers of restart markers repeat after 8.
func TestConcealManyStrips(t *testing.T) {
	now, before := shots(t, 30, image.Pt(16, 480))
	s, e := find(t, now), find(t, before)
	if s.Len() != 30 {
		t.Fatal(s.Len())
	}
	hole := func(first, last int) Hole { // a hole of pieces
		from := s.span[first].from
		return Hole{From: from, To: min(s.span[last].to+2, len(now)), Strip: last < 29}
	}
	for name, c := range map[string]struct {
		holes []Hole
		lost  int // -1: it cannot be told
	}{
		"five":                        {[]Hole{hole(3, 7)}, 5},
		"two and two":                 {[]Hole{hole(3, 4), hole(20, 21)}, 4},
		"eight":                       {[]Hole{hole(3, 10)}, 8},
		"nine":                        {[]Hole{hole(3, 11)}, -1},             // looks like one, and then eight are missing
		"one, and the last":           {[]Hole{hole(3, 3), hole(29, 29)}, 2}, // the first one is too short to hide nine
		"one near the end and it":     {[]Hole{hole(24, 24), hole(29, 29)}, 2},
		"all but the first":           {[]Hole{hole(1, 29)}, 29},
		"all but the first and last":  {[]Hole{hole(1, 28)}, 28},
		"all but first, sixth, last":  {[]Hole{hole(1, 4), hole(6, 28)}, -1},
		"the last eight":              {[]Hole{hole(22, 29)}, 8},
		"the middle of one near last": {[]Hole{{From: s.span[28].from + 3, To: s.span[28].from + 5}}, 1},
	} {
		var got Strips
		err := got.FindAround(punch(now, c.holes), c.holes)
		if c.lost < 0 {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%s: %d lost, %v", name, got.Lost(), err)
			}
			continue
		}
		if err != nil || got.Lost() != c.lost {
			t.Errorf("%s: %d lost, want %d; %v", name, got.Lost(), c.lost, err)
			continue
		}
		for i := range got.span {
			if got.Whole(i) && got.span[i] != s.span[i] {
				t.Errorf("%s: strip %d is taken for another", name, i)
			}
		}
		if _, n, err := got.AppendConcealed(nil, e); err != nil || n != c.lost {
			t.Errorf("%s: %d concealed, %v", name, n, err)
		}
	}
}

// TestConcealGroups: a strip of several restart intervals is lost as a whole.
func TestConcealGroups(t *testing.T) {
	p := blocks{size: image.Pt(100, 90), factors: []byte{0x22, 0x11, 0x11}, restart: 2} // 7x6 MCUs: 3 strips of 7 intervals
	now := p.jpeg()
	s := find(t, now)
	for i := range 3 {
		at := (s.span[i].from + s.span[i].to) / 2
		holes := []Hole{{From: at, To: at + 3}}
		got := find(t, punch(now, holes), holes...)
		for j := range 3 {
			if got.Whole(j) == (i == j) || got.Whole(j) && got.span[j] != s.span[j] {
				t.Errorf("hole in strip %d: strip %d: %v", i, j, got.Whole(j))
			}
		}
		if out, n, err := got.AppendConcealed(nil, s); err != nil || n != 1 || !bytes.Equal(out, now) {
			t.Errorf("hole in strip %d: %d concealed, %v, or the JPEG is wrong", i, n, err)
		}
	}
}

func TestConcealRefuses(t *testing.T) {
	now, before := shots(t, 4, image.Pt(64, 64))
	s, e := find(t, now), find(t, before)
	holes := []Hole{{From: s.span[2].from, To: s.span[3].from, Strip: true}}
	damaged := find(t, punch(now, holes), holes...)
	other := func(quality, n int, size image.Point) *Strips {
		return find(t, encode(t, newEncoder(t, EncoderConfig{Quality: quality, Slices: n}), photo(size.X, size.Y)))
	}
	for name, earlier := range map[string]*Strips{
		"nothing":            {},
		"without strip 2":    damaged,
		"of other tables":    other(79, 4, image.Pt(64, 64)),
		"of other strips":    other(80, 2, image.Pt(64, 64)),
		"as a whole":         other(80, 1, image.Pt(64, 64)),
		"of another size":    other(80, 4, image.Pt(64, 63)),
		"of the same strips": e,
	} {
		out, n, err := damaged.AppendConcealed([]byte("kept"), earlier)
		if earlier == e {
			if err != nil || n != 1 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, ErrUnlike) || n != 0 || string(out) != "kept" {
			t.Errorf("%s: %q, %d, %v", name, out, n, err)
		}
	}
}

func TestConcealAllocatesNothing(t *testing.T) {
	now, before := shots(t, 4, image.Pt(64, 64))
	e := find(t, before)
	s := find(t, now)
	holes := []Hole{{From: s.span[2].from, To: s.span[3].from, Strip: true}}
	out := make([]byte, 0, len(now)+len(before))
	if n := testing.AllocsPerRun(20, func() {
		if err := s.FindAround(now, holes); err != nil {
			t.Fatal(err)
		}
		var err error
		if out, _, err = s.AppendConcealed(out[:0], e); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzConceal punches holes into anything and conceals with anything. What comes out
// has the markers that its header announces and no others.
func FuzzConceal(f *testing.F) {
	p := blocks{size: image.Pt(24, 80), factors: []byte{0x22, 0x11, 0x11}, restart: 2}
	f.Add(p.jpeg(), p.jpeg(), uint32(300), uint32(40), uint32(30), uint32(5), true, false)
	p.restart = 1
	f.Add(p.jpeg(), p.jpeg(), uint32(330), uint32(4), uint32(0), uint32(50), false, true)
	now, before := shots(f, 5, image.Pt(16, 80))
	f.Add(now, before, uint32(640), uint32(80), uint32(70), uint32(80), true, true)
	f.Fuzz(func(t *testing.T, now, before []byte, from1, len1, from2, len2 uint32, strip1, strip2 bool) {
		at := func(after int, n uint32) int { return after + int(n%uint32(len(now)+1)) }
		var holes []Hole
		if len1 > 0 {
			h := Hole{From: at(0, from1), Strip: strip1}
			h.To = at(h.From, len1)
			holes = append(holes, h)
			if len2 > 0 {
				h := Hole{From: at(h.To, from2), Strip: strip2}
				h.To = at(h.From, len2)
				holes = append(holes, h)
			}
		}
		var s, e Strips
		if s.FindAround(now, holes) != nil || e.Find(before) != nil {
			return
		}
		if s.Len() > MaxSide/8+1 || s.Lost() > s.Len() || len(holes) == 0 && s.Lost() > 0 {
			t.Fatalf("%d strips, %d lost", s.Len(), s.Lost())
		}
		for i := range s.span {
			if _, to := s.Rows(i); (to == s.head.Height) != (i == s.Len()-1) {
				t.Fatalf("strip %d of %d ends at row %d of %d", i, s.Len(), to, s.head.Height)
			}
			if s.Whole(i) && slices.ContainsFunc(holes, func(h Hole) bool { return s.span[i].from < h.To && s.span[i].to > h.From }) {
				t.Fatalf("strip %d has a hole and is taken for whole", i)
			}
		}
		out, n, err := s.AppendConcealed(nil, &e)
		if err != nil {
			return
		}
		var got Strips
		if err := got.Find(out); err != nil || got.Len() != s.Len() || n != s.Lost() {
			t.Fatalf("%d strips of %d: %v", got.Len(), s.Len(), err)
		}
		if why := markersOf(out, got.head); got.Len() > 1 && why != "" {
			t.Fatalf("%d strips, and yet: %s", got.Len(), why)
		}
		for i := range got.span {
			from := &s
			if !s.Whole(i) {
				from = &e
			}
			if a, b := got.span[i], from.span[i]; !bytes.Equal(out[a.from:a.to], from.jpeg[b.from:b.to]) {
				t.Fatalf("strip %d is wrong", i)
			}
		}
	})
}

// TestConcealOneDatagram punches holes of a datagram's size into a JPEG of more strips than there are
// restart numbers: none of them leaves it uncertain which strip is which.
func TestConcealOneDatagram(t *testing.T) {
	now, before := shots(t, 20, image.Pt(640, 320))
	s, e := find(t, now), find(t, before)
	if s.Len() != 20 {
		t.Fatal(s.Len())
	}
	var got Strips
	var out []byte
	for from := s.head.Data; from < len(now); from += 97 {
		for _, size := range []int{1, 100, 300} {
			holes := []Hole{{From: from, To: min(from+size, len(now))}}
			if second := from + 5*size; second+size <= len(now) {
				holes = append(holes, Hole{From: second, To: second + size})
			}
			in := punch(now, holes)
			if err := got.FindAround(in, holes); err != nil {
				t.Fatalf("%v: %v", holes, err)
			}
			for i := range got.span {
				if got.Whole(i) && got.span[i] != s.span[i] {
					t.Fatalf("%v: strip %d is taken for another", holes, i)
				}
			}
			var err error
			if out, _, err = got.AppendConcealed(out[:0], e); err != nil {
				t.Fatalf("%v: %v", holes, err)
			}
		}
	}
}
