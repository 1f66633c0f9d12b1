package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"slices"
	"testing"
)

func find(t testing.TB, jpeg []byte, holes ...Hole) *Strips {
	t.Helper()
	s := new(Strips)
	if err := s.FindAround(jpeg, holes); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFindStrips: restart intervals are put together to whole rows of MCUs.
func TestFindStrips(t *testing.T) {
	color := []byte{0x22, 0x11, 0x11} // 100x90 pixels: 7x6 MCUs of 16x16
	for name, c := range map[string]struct {
		in   blocks
		want []int // rows of pixels at which strips end
	}{
		"no markers":                 {blocks{factors: color}, []int{90}},
		"one row":                    {blocks{factors: color, restart: 7}, []int{16, 32, 48, 64, 80, 90}},
		"two rows":                   {blocks{factors: color, restart: 14}, []int{32, 64, 90}},
		"four rows":                  {blocks{factors: color, restart: 28}, []int{64, 90}},
		"every MCU":                  {blocks{factors: color, restart: 1}, []int{16, 32, 48, 64, 80, 90}},
		"2 meet 7 after two rows":    {blocks{factors: color, restart: 2}, []int{32, 64, 90}},
		"4 meet 7 after four rows":   {blocks{factors: color, restart: 4}, []int{64, 90}},
		"6 meet 7 at the end":        {blocks{factors: color, restart: 6}, []int{90}},
		"all but one MCU":            {blocks{factors: color, restart: 41}, []int{90}},
		"all MCUs":                   {blocks{factors: color, restart: 42}, []int{90}},
		"more than there are":        {blocks{factors: color, restart: 65535}, []int{90}},
		"grey, MCUs of 8x8":          {blocks{factors: []byte{0x22}, restart: 26}, []int{16, 32, 48, 64, 80, 90}},
		"4:1:1, MCUs of 32x8":        {blocks{factors: []byte{0x41, 0x11, 0x11}, restart: 24}, []int{48, 90}},
		"4:4:0, MCUs of 8x16":        {blocks{factors: []byte{0x12, 0x11, 0x11}, restart: 39}, []int{48, 90}},
		"three scans are not strips": {blocks{factors: color, restart: 7, scans: [][]int{{0}, {1}, {2}}}, []int{90}},
	} {
		c.in.size = image.Pt(100, 90)
		data := c.in.jpeg()
		s := find(t, data)
		var got []int
		for i := range s.Len() {
			_, to := s.Rows(i)
			got = append(got, to)
		}
		if !slices.Equal(got, c.want) || s.Lost() != 0 {
			t.Errorf("%s: strips end at %v, want %v; %d lost", name, got, c.want, s.Lost())
		}
	}
	progressive := readTestdata(t, "progressive.jpg")
	if s := find(t, progressive); s.Len() != 1 || !bytes.Equal(s.Piece(0), progressive) {
		t.Errorf("progressive: %d strips", s.Len())
	}
}

// TestFindReadsOver what T.81 allows: fill bytes before markers, and what common
// webcams send behind EOI.
func TestFindReadsOver(t *testing.T) {
	data := blocks{size: image.Pt(20, 50), factors: []byte{0x11}, restart: 3}.jpeg()
	s := find(t, data)
	var filled []byte
	for i := range s.Len() {
		p := s.Piece(i)
		filled = append(append(filled, p[:len(p)-2]...), 0xFF, 0xFF, 0xFF)
		filled = append(filled, p[len(p)-1])
	}
	filled = append(filled, 1, 0xFF, 0xD0, 0)
	got := find(t, filled)
	if got.Len() != 7 {
		t.Fatalf("%d strips", got.Len())
	}
	for i := range got.span {
		if a, b := got.span[i], s.span[i]; !bytes.Equal(filled[a.from:a.to], data[b.from:b.to]) {
			t.Errorf("strip %d is another", i)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	p := blocks{size: image.Pt(60, 100), factors: []byte{0x22, 0x11, 0x11}, restart: 4} // 7 strips
	data := p.jpeg()
	s := find(t, data)
	dri := bytes.Index(data, []byte{0xFF, mDRI}) + 5
	height := s.head.height + 1
	lie := func(at int, v byte) []byte { b := bytes.Clone(data); b[at] = v; return b }
	for name, in := range map[string][]byte{
		"less intervals than announced":  lie(height, 113),
		"more intervals than announced":  lie(height, 80),
		"a shorter interval":             lie(dri, 2),
		"a longer interval":              lie(dri, 8),
		"a marker out of order":          lie(s.span[3].to+1, mRST7),
		"a marker of another kind":       lie(s.span[3].to+1, mDHT),
		"a marker less":                  join(data[:s.span[3].to], data[s.span[4].from:]),
		"a strip less":                   join(data[:s.span[3].from], data[s.span[4].from:]),
		"no EOI":                         data[:len(data)-2],
		"half an EOI":                    data[:len(data)-1],
		"no data":                        data[:s.head.Data],
		"no header":                      data[:40],
		"nothing":                        nil,
		"an announced interval, no data": append(bytes.Clone(s.Head()), 0xFF, mEOI),
	} {
		var got Strips
		if err := got.Find(in); !errors.Is(err, ErrFormat) || got.Len() != 0 {
			t.Errorf("%s: %d strips, %v", name, got.Len(), err)
		}
	}
	for name, holes := range map[string][]Hole{
		"an empty hole":         {{From: 300, To: 300}},
		"before the JPEG":       {{From: -1, To: 300}},
		"behind the JPEG":       {{From: 300, To: len(data) + 1}},
		"turned round":          {{From: 301, To: 300}},
		"overlapping":           {{From: 300, To: 310}, {From: 309, To: 312}},
		"in the header":         {{From: s.head.Data - 1, To: s.head.Data + 4}},
		"a hole without strips": {{From: len(data) - 9, To: len(data) - 4, Strip: true}},
	} {
		var got Strips
		if err := got.FindAround(data, holes); err == nil || got.Len() != 0 {
			t.Errorf("%s: %d strips, %v", name, got.Len(), err)
		}
	}
	whole := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 64))
	if err := new(Strips).FindAround(whole, []Hole{{From: len(whole) - 9, To: len(whole)}}); !errors.Is(err, ErrFormat) {
		t.Errorf("a hole in a JPEG without strips: %v", err)
	}
}

// FuzzFind: whatever its header announces, a JPEG that is taken to have strips has just that many
// restart intervals, with the right markers between them, and its strips are all of its rows.
func FuzzFind(f *testing.F) {
	p := blocks{size: image.Pt(60, 100), factors: []byte{0x22, 0x11, 0x11}, restart: 4}
	f.Add(p.jpeg())
	p.factors, p.restart = []byte{0x22, 0x12, 0x12}, 1
	f.Add(p.jpeg())
	p.factors, p.restart = []byte{0x22}, 13
	f.Add(p.jpeg())
	f.Add(encode(f, newEncoder(f, EncoderConfig{Slices: 3}), photo(40, 60)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Strips
		if s.Find(data) != nil || s.Len() < 2 {
			return
		}
		if why := markersOf(data, s.head); why != "" {
			t.Fatalf("%d strips, and yet: %s", s.Len(), why)
		}
		var all []byte
		row := 0
		for i := range s.Len() {
			from, to := s.Rows(i)
			if from != row || to <= from {
				t.Fatalf("strip %d of %d is rows %d to %d, after row %d", i, s.Len(), from, to, row)
			}
			row, all = to, append(all, s.Piece(i)...)
		}
		if row != s.head.Height || !bytes.Equal(all, data) {
			t.Fatalf("%d rows of %d, or the pieces are not the JPEG", row, s.head.Height)
		}
	})
}

// markersOf is what is wrong with the markers behind the first scan's header, "" for nothing: T.81 E.1.4
// with the restart interval, size and factors read from the header's own bytes.
func markersOf(jpeg []byte, h headerParser) string {
	word := func(at int) int { return int(jpeg[at])<<8 | int(jpeg[at+1]) }
	interval, height, width := word(h.dri), word(h.height), word(h.height+2)
	across, down := ceil(width, 8), ceil(height, 8)
	if jpeg[h.height+4] > 1 {
		factor := jpeg[h.height+6]
		across, down = ceil(width, 8*int(factor>>4)), ceil(height, 8*int(factor&15))
	}
	intervals := 1
	for at := h.Data; at+1 < len(jpeg); at++ {
		if jpeg[at] != 0xFF || jpeg[at+1] == 0xFF { // a byte of data, or one that fills
			continue
		}
		switch marker := jpeg[at+1]; {
		case marker == 0 && jpeg[at-1] == 0xFF && at > h.Data:
			return "FFFF00"
		case marker == 0:
			at++
		case marker == mRST0+byte(intervals-1)%8:
			intervals++
			at++
		case marker == mEOI:
			if want := ceil(across*down, interval); intervals != want {
				return fmt.Sprintf("%d restart intervals, announced are %d", intervals, want)
			}
			return ""
		default:
			return fmt.Sprintf("marker FF%02X after %d intervals", marker, intervals)
		}
	}
	return "no EOI"
}

func BenchmarkFind(b *testing.B) {
	data := encode(b, newEncoder(b, EncoderConfig{Slices: 8}), photo(1920, 1080))
	var s Strips
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Find(data); err != nil {
			b.Fatal(err)
		}
	}
}
