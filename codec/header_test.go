package codec

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"
)

func TestParseHeader(t *testing.T) {
	for name, c := range map[string]struct {
		in   blocks
		want Header
	}{
		"4:2:0":             {blocks{factors: []byte{0x22, 0x11, 0x11}}, Header{Components: 3, Huffman: true}},
		"4:2:2":             {blocks{factors: []byte{0x21, 0x11, 0x11}}, Header{Components: 3, Huffman: true}},
		"4:2:2, chroma 1x2": {blocks{factors: []byte{0x22, 0x12, 0x12}}, Header{Components: 3, Huffman: true}},
		"4:4:4":             {blocks{factors: []byte{0x11, 0x11, 0x11}}, Header{Components: 3, Huffman: true}},
		"4:4:0":             {blocks{factors: []byte{0x12, 0x11, 0x11}}, Header{Components: 3, Huffman: true}},
		"4:1:1":             {blocks{factors: []byte{0x41, 0x11, 0x11}}, Header{Components: 3, Huffman: true}},
		"grey":              {blocks{factors: []byte{0x11}}, Header{Components: 1, Gray: true, Huffman: true}},
		"grey, factors 2x2": {blocks{factors: []byte{0x22}}, Header{Components: 1, Gray: true, Huffman: true}},
		"restart":           {blocks{factors: []byte{0x11}, restart: 300}, Header{Components: 1, Gray: true, Huffman: true, RestartInterval: 300}},
		"webcam":            {blocks{factors: []byte{0x21, 0x11, 0x11}, noTables: true}, Header{Components: 3}},
		"extended":          {blocks{factors: []byte{0x11}, sof: mSOF1}, Header{Components: 1, Gray: true, Huffman: true}},
		"progressive":       {blocks{factors: []byte{0x11}, sof: mSOF2}, Header{Components: 1, Gray: true, Huffman: true, Progressive: true}},
		"RGB names, but JFIF": {
			blocks{factors: []byte{0x11, 0x11, 0x11}, ids: []byte("RGB"), before: [][]byte{jfif}},
			Header{Components: 3, Huffman: true},
		},
		"a thumbnail, RST and fill bytes": {
			blocks{factors: []byte{0x11}, before: [][]byte{segment(mAPP0+1, blocks{size: image.Pt(8, 8), factors: []byte{0x11}}.jpeg()...), {0xFF, mRST7}, {0xFF, 0xFF}}},
			Header{Components: 1, Gray: true, Huffman: true},
		},
	} {
		c.in.size = image.Pt(50, 30)
		c.want.Width, c.want.Height = 50, 30
		data := c.in.jpeg()
		c.want.Scan = bytes.LastIndex(data, []byte{0xFF, mSOS})
		c.want.Data = c.want.Scan + 2 + segmentLen(data, c.want.Scan+2)
		got, err := ParseHeader(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.want.Ratio = got.Ratio // compared with image/jpeg's below
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		for n := range got.Scan + 4 {
			if h, err := ParseHeader(data[:n]); !errors.Is(err, ErrFormat) || h != (Header{}) {
				t.Fatalf("%s: first %d bytes: got %+v, %v", name, n, h, err)
			}
		}
		if c.in.sof != mSOF2 { // blocks writes no progressive scans
			checkRatio(t, name, got, data)
		}
	}
}

func checkRatio(t *testing.T, name string, h Header, data []byte) {
	m, err := jpeg.Decode(bytes.NewReader(Mend(data)))
	if err != nil {
		t.Errorf("%s: image/jpeg: %v", name, err)
		return
	}
	want := image.YCbCrSubsampleRatio420
	if m, ok := m.(*image.YCbCr); ok {
		want = m.SubsampleRatio
	}
	if h.Ratio != want {
		t.Errorf("%s: ratio %v, image/jpeg says %v", name, h.Ratio, want)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	gray := func(p blocks) []byte {
		if p.size == (image.Point{}) {
			p.size = image.Pt(16, 16)
		}
		if p.factors == nil {
			p.factors = []byte{0x11}
		}
		return p.jpeg()
	}
	adobe := segment(mAPP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)
	twice := segment(mSOF0, 8, 0, 16, 0, 16, 1, 1, 0x11, 0)
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":        {nil, ErrFormat},
		"PNG":            {[]byte("\x89PNG\r\n\x1a\n"), ErrFormat},
		"only SOI":       {[]byte{0xFF, mSOI}, ErrFormat},
		"SOI twice":      {[]byte{0xFF, mSOI, 0xFF, mSOI, 0xFF, mEOI}, ErrFormat},
		"no scan":        {[]byte{0xFF, mSOI, 0xFF, mEOI}, ErrFormat},
		"length of 1":    {[]byte{0xFF, mSOI, 0xFF, mCOM, 0, 1, 0xFF, mEOI}, ErrFormat},
		"reserved":       {[]byte{0xFF, mSOI, 0xFF, 0x02, 0, 2}, ErrFormat},
		"scan, no frame": {append([]byte{0xFF, mSOI}, segment(mSOS, 1, 1, 0, 0, 63, 0)...), ErrFormat},
		"two frames":     {gray(blocks{before: [][]byte{twice}}), ErrFormat},
		"no height":      {gray(blocks{size: image.Pt(16, 0)}), ErrFormat},
		"no width":       {gray(blocks{size: image.Pt(0, 16)}), ErrFormat},
		"DRI of 1 byte":  {gray(blocks{before: [][]byte{segment(mDRI, 1)}}), ErrFormat},
		"12 bits":        {append([]byte{0xFF, mSOI}, segment(mSOF1, 12, 0, 16, 0, 16, 1, 1, 0x11, 0)...), ErrUnsupported},
		"lossless":       {gray(blocks{sof: 0xC3}), ErrUnsupported},
		"arithmetic":     {gray(blocks{sof: 0xC9}), ErrUnsupported},
		"DAC":            {gray(blocks{before: [][]byte{segment(mDAC, 0, 0)}}), ErrUnsupported},
		"CMYK":           {gray(blocks{factors: []byte{0x11, 0x11, 0x11, 0x11}}), ErrUnsupported},
		"two components": {gray(blocks{factors: []byte{0x11, 0x11}}), ErrUnsupported},
		"4:1:0":          {gray(blocks{factors: []byte{0x42, 0x11, 0x11}}), ErrUnsupported},
		"Cb unlike Cr":   {gray(blocks{factors: []byte{0x22, 0x11, 0x12}}), ErrUnsupported},
		"factors of 0":   {append([]byte{0xFF, mSOI}, segment(mSOF0, 8, 0, 16, 0, 16, 3, 1, 0, 0, 2, 0, 0, 3, 0, 0)...), ErrUnsupported},
		"RGB by name":    {gray(blocks{factors: []byte{0x11, 0x11, 0x11}, ids: []byte("RGB")}), ErrUnsupported},
		"RGB by Adobe":   {gray(blocks{factors: []byte{0x11, 0x11, 0x11}, before: [][]byte{adobe}}), ErrUnsupported},
	} {
		if _, err := ParseHeader(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for _, size := range []image.Point{{65535, 1}, {1, 65501}, {8193, 8192}, {65500, 65500}} {
		in := append([]byte{0xFF, mSOI}, segment(mSOF0, 8, byte(size.Y>>8), byte(size.Y), byte(size.X>>8), byte(size.X), 1, 1, 0x11, 0)...)
		var large *TooLargeError
		if _, err := ParseHeader(in); !errors.As(err, &large) || *large != (TooLargeError{size.X, size.Y}) {
			t.Errorf("%v: got %v, want a TooLargeError", size, err)
		}
	}
}

// FuzzParseHeader checks what is taken for a JPEG against image/jpeg: a header that
// both read must give one size.
func FuzzParseHeader(f *testing.F) {
	for _, p := range []blocks{
		{factors: []byte{0x22, 0x11, 0x11}, before: [][]byte{jfif}},
		{factors: []byte{0x11}, restart: 2},
		{factors: []byte{0x21, 0x11, 0x11}, noTables: true},
	} {
		p.size = image.Pt(20, 10)
		f.Add(p.jpeg())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseHeader(data)
		if err != nil {
			if h != (Header{}) {
				t.Fatalf("%+v with %v", h, err)
			}
			return
		}
		if h.Width < 1 || h.Height < 1 || h.Width > MaxSide || h.Height > MaxSide || h.Width*h.Height > MaxPixels {
			t.Fatalf("size %dx%d", h.Width, h.Height)
		}
		if data[h.Scan] != 0xFF || h.Scan < 4 {
			t.Fatalf("no marker at Scan = %d", h.Scan)
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil && (c.Width != h.Width || c.Height != h.Height) {
			t.Fatalf("%dx%d, image/jpeg says %dx%d", h.Width, h.Height, c.Width, c.Height)
		}
	})
}
