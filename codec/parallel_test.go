package codec

import (
	"bytes"
	"fmt"
	"image"
	"testing"
)

// together returns a Decoder that has more hands than most machines, and decodes runs
// of strips of least rows of pixels.
func together(t testing.TB, least int) *Decoder {
	d := newDecoder(t)
	d.parallel.crew, d.parallel.least = newCrew(3), least
	return d
}

// leasts are every strip by itself, some together, and what is usual.
var leasts = []int{1, 40, runRows}

// TestParallelChangesNoPixel decodes pictures with restart markers at all kinds of
// places, at once and as a whole, into the middle of a larger picture.
func TestParallelChangesNoPixel(t *testing.T) {
	for _, least := range leasts {
		parallelChangesNoPixel(t, together(t, least))
	}
}

func parallelChangesNoPixel(t *testing.T, d *Decoder) {
	for kind, p := range map[string]blocks{
		"4:2:0":             {factors: []byte{0x22, 0x11, 0x11}},
		"4:2:2":             {factors: []byte{0x21, 0x11, 0x11}},
		"4:2:2, chroma 1x2": {factors: []byte{0x22, 0x12, 0x12}},
		"4:4:4":             {factors: []byte{0x11, 0x11, 0x11}},
		"4:4:4, all 1x2":    {factors: []byte{0x12, 0x12, 0x12}},
		"4:4:0":             {factors: []byte{0x12, 0x11, 0x11}},
		"4:4:0, chroma 2x1": {factors: []byte{0x22, 0x21, 0x21}},
		"4:1:1":             {factors: []byte{0x41, 0x11, 0x11}},
		"grey":              {factors: []byte{0x11}},
		"grey, factors 2x2": {factors: []byte{0x22}},
		"webcam":            {factors: []byte{0x21, 0x11, 0x11}, noTables: true},
	} {
		for _, p.size = range []image.Point{{8, 40}, {33, 31}, {61, 97}, {100, 300}} {
			for _, p.restart = range []int{1, 2, 4, 7, 13, 26, 100} {
				checkParallel(t, d, fmt.Sprintf("%s %s every %d", kind, name(p.size), p.restart), p.jpeg())
			}
		}
	}
}

// TestParallelDecodesSlices does so with what an Encoder writes.
func TestParallelDecodesSlices(t *testing.T) {
	for i, n := range []int{2, 64, 7} {
		d, e := together(t, leasts[i]), newEncoder(t, EncoderConfig{Slices: n})
		for _, size := range slicedSizes {
			for kind, in := range inputs(size) {
				checkParallel(t, d, fmt.Sprintf("%s %s in %d", kind, name(size), n), encode(t, e, in))
			}
		}
	}
}

func checkParallel(t *testing.T, d *Decoder, what string, jpeg []byte) {
	t.Helper()
	const canary = 0xA5
	h, err := ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	var big [2]*image.YCbCr
	var bgr [2]*BGR
	for i := range big {
		all := image.Rect(0, 0, h.Width+24, h.Height+24)
		view := image.Rect(8, 8, 8+h.Width, 8+h.Height)
		big[i], bgr[i] = image.NewYCbCr(all, h.Ratio), NewBGR(all)
		for _, p := range [][]byte{big[i].Y, big[i].Cb, big[i].Cr, bgr[i].Pix} {
			for j := range p {
				p[j] = canary
			}
		}
		planar, packed := target{planar: big[i].SubImage(view).(*image.YCbCr)}, target{bgr: *bgr[i].SubImage(view).(*BGR)}
		if i == 0 {
			if err := d.native.whole(&planar, jpeg, h); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if err := d.native.whole(&packed, jpeg, h); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if h.Gray {
				neutral(planar.planar)
			}
			continue
		}
		if err := d.DecodeYCbCr(planar.planar, jpeg); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := d.DecodeBGR(&packed.bgr, jpeg); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if !bytes.Equal(big[0].Y, big[1].Y) || !bytes.Equal(big[0].Cb, big[1].Cb) || !bytes.Equal(big[0].Cr, big[1].Cr) {
		t.Errorf("%s: the planes differ, or something was touched around them", what)
	}
	if !bytes.Equal(bgr[0].Pix, bgr[1].Pix) {
		t.Errorf("%s: BGR differs, or something was touched around it", what)
	}
}

// TestParallelRefusesWhatWholeRefuses damages a sliced JPEG.
func TestParallelRefusesWhatWholeRefuses(t *testing.T) {
	d := together(t, 1)
	data := encode(t, newEncoder(t, EncoderConfig{Slices: 4}), photo(64, 64))
	var s Strips
	if err := s.Find(data); err != nil || s.Len() != 4 {
		t.Fatal(s.Len(), err)
	}
	from, to := s.span[1].from, s.span[1].to
	for what, bad := range map[string][]byte{
		"a strip cut short":       join(data[:to-20], data[to:]),
		"a strip without data":    join(data[:from], data[to:]),
		"a strip twice its data":  join(data[:to], data[from:]),
		"no EOI":                  data[:len(data)-2],
		"a marker less":           join(data[:to], data[to+2:]),
		"another marker's number": join(data[:to+1], []byte{mRST0 + 5}, data[to+2:]),
	} {
		h, err := ParseHeader(bad)
		if err != nil {
			t.Fatal(err)
		}
		dst := target{bgr: *ReuseBGR(nil, 64, 64)}
		whole := d.native.whole(&dst, bad, h)
		got := d.DecodeBGR(&dst.bgr, bad)
		if (got == nil) != (whole == nil) || got == nil && !pure { // image/jpeg looks for the next marker in silence
			t.Errorf("%s: %v; as a whole: %v", what, got, whole)
		}
	}
	if err := d.DecodeBGR(ReuseBGR(nil, 64, 64), data); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// FuzzParallel: whatever is decoded as a whole is decoded at once to the same pixels,
// and, where libjpeg decodes, the other way round.
func FuzzParallel(f *testing.F) {
	for _, p := range []blocks{
		{factors: []byte{0x22, 0x11, 0x11}, restart: 2},
		{factors: []byte{0x41, 0x11, 0x11}, restart: 1},
		{factors: []byte{0x11}, restart: 3},
		{factors: []byte{0x22, 0x21, 0x21}, restart: 6, scans: [][]int{{0}, {1, 2}}},
	} {
		p.size = image.Pt(31, 70)
		f.Add(p.jpeg())
	}
	f.Add(encode(f, newEncoder(f, EncoderConfig{Slices: 3}), photo(40, 60)))
	d := together(f, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseHeader(data)
		if err != nil || h.Width*h.Height > 1<<16 {
			return
		}
		a, b := ReuseBGR(nil, h.Width, h.Height), ReuseBGR(nil, h.Width, h.Height)
		whole := d.native.whole(&target{bgr: *a}, data, h)
		apart := d.DecodeBGR(b, data)
		if whole == nil && (apart != nil || !bytes.Equal(a.Pix, b.Pix)) {
			t.Fatalf("decoded as a whole; in strips: %v, or the pixels differ", apart)
		}
		if whole != nil && apart == nil && !pure {
			t.Fatalf("decoded in strips; as a whole: %v", whole)
		}
	})
}
