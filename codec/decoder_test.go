package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"testing"
)

// TestDecodeBlocks decodes JPEGs whose every sample is known, exactly.
func TestDecodeBlocks(t *testing.T) {
	d := newDecoder(t)
	for kind, p := range map[string]blocks{
		"4:2:0":             {factors: []byte{0x22, 0x11, 0x11}},
		"4:2:2":             {factors: []byte{0x21, 0x11, 0x11}},
		"4:2:2, chroma 1x2": {factors: []byte{0x22, 0x12, 0x12}},
		"4:4:4":             {factors: []byte{0x11, 0x11, 0x11}},
		"4:4:4, all 1x2":    {factors: []byte{0x12, 0x12, 0x12}},
		"4:4:4, all 2x1":    {factors: []byte{0x21, 0x21, 0x21}},
		"4:4:0":             {factors: []byte{0x12, 0x11, 0x11}},
		"4:4:0, chroma 2x1": {factors: []byte{0x22, 0x21, 0x21}},
		"4:1:1":             {factors: []byte{0x41, 0x11, 0x11}},
		"grey":              {factors: []byte{0x11}},
		"grey, factors 2x2": {factors: []byte{0x22}},
		"restart":           {factors: []byte{0x22, 0x11, 0x11}, restart: 1},
		"restart 3":         {factors: []byte{0x21, 0x11, 0x11}, restart: 3},
		"three scans":       {factors: []byte{0x22, 0x11, 0x11}, scans: [][]int{{0}, {1}, {2}}},
		"webcam":            {factors: []byte{0x21, 0x11, 0x11}, noTables: true},
		"extended":          {factors: []byte{0x22, 0x11, 0x11}, sof: mSOF1},
		"other names":       {factors: []byte{0x22, 0x11, 0x11}, ids: []byte{0, 1, 2}},
	} {
		for _, size := range sizes {
			p.size = size
			data := p.jpeg()
			h, err := ParseHeader(data)
			if err != nil {
				t.Fatalf("%s %s: %v", kind, name(size), err)
			}
			got := ReuseYCbCr(nil, size.X, size.Y, h.Ratio)
			if err := d.DecodeYCbCr(got, data); err != nil {
				t.Errorf("%s %s: %v", kind, name(size), err)
				continue
			}
			planes := [][]byte{got.Y, got.Cb, got.Cr}
			for c := range planes {
				want := bytes.Repeat([]byte{128}, len(planes[c]))
				if c < len(p.factors) {
					want, _, _ = p.plane(c)
				}
				if !bytes.Equal(planes[c], want) {
					t.Errorf("%s %s: component %d is wrong", kind, name(size), c)
				}
			}
			bgr := ReuseBGR(nil, size.X, size.Y)
			if err := d.DecodeBGR(bgr, data); err != nil {
				t.Errorf("%s %s: BGR: %v", kind, name(size), err)
			}
			if h.Gray {
				for i, v := range bgr.Pix {
					if v != got.Y[i/3] {
						t.Errorf("%s %s: BGR is not grey at %d", kind, name(size), i)
						break
					}
				}
			}
		}
	}
}

// TestDecodeLikeGo compares with image/jpeg on pictures with every frequency.
func TestDecodeLikeGo(t *testing.T) {
	d, e := newDecoder(t), newEncoder(t, EncoderConfig{Quality: 90})
	for _, size := range sizes {
		for _, r := range ratios {
			data := encode(t, e, toYCbCr(photo(size.X, size.Y), r))
			m, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			want := m.(*image.YCbCr)
			got := ReuseYCbCr(nil, size.X, size.Y, want.SubsampleRatio)
			if err := d.DecodeYCbCr(got, data); err != nil {
				t.Fatal(err)
			}
			// Two exact inverse DCTs differ by a rounding here and there.
			if luma, chroma := planePSNR(t, got, want); luma < 50 || chroma < 50 {
				t.Errorf("%s %v: luma %.1f dB, chroma %.1f dB", name(size), r, luma, chroma)
			}
			bgr := ReuseBGR(nil, size.X, size.Y)
			if err := d.DecodeBGR(bgr, data); err != nil {
				t.Fatal(err)
			}
			// Both repeat chroma. Blue for red would be 15 dB.
			if p := psnr(t, bgr, want); p < 45 {
				t.Errorf("%s %v: BGR %.1f dB", name(size), r, p)
			}
		}
	}
}

func TestDecodeProgressive(t *testing.T) {
	for _, file := range []string{"progressive.jpg", "progressive-gray.jpg"} {
		data := readTestdata(t, file)
		h, err := ParseHeader(data)
		if err != nil || !h.Progressive || h.Width != 61 || h.Height != 43 {
			t.Fatalf("%s: %+v, %v", file, h, err)
		}
		got := ReuseBGR(nil, 61, 43)
		if err := newDecoder(t).DecodeBGR(got, data); err != nil {
			t.Fatal(err)
		}
		want := image.Image(photo(61, 43))
		if h.Gray {
			want = toGray(photo(61, 43))
		}
		if p := psnr(t, got, want); p < 24 {
			t.Errorf("%s: %.1f dB", file, p)
		}
	}
}

// TestDecodeView decodes into the middle of a larger picture and looks at every byte
// around.
func TestDecodeView(t *testing.T) {
	d, e := newDecoder(t), newEncoder(t, EncoderConfig{})
	for _, r := range []image.Rectangle{image.Rect(0, 16, 100, 48), image.Rect(16, 32, 80, 64), image.Rect(4, 2, 41, 33), image.Rect(96, 86, 100, 90), image.Rect(0, 48, 100, 49)} {
		for _, gray := range []bool{false, true} {
			in := photo(r.Dx(), r.Dy())
			data := encode(t, e, in)
			if gray {
				data = encode(t, e, toGray(in))
			}
			t.Run(fmt.Sprint(r, gray), func(t *testing.T) { decodeView(t, d, r, data) })
		}
	}
}

func decodeView(t *testing.T, d *Decoder, r image.Rectangle, data []byte) {
	const canary = 0xA5
	alone := ReuseYCbCr(nil, r.Dx(), r.Dy(), image.YCbCrSubsampleRatio420)
	if err := d.DecodeYCbCr(alone, data); err != nil {
		t.Fatal(err)
	}
	want := image.NewYCbCr(image.Rect(0, 0, 100, 90), image.YCbCrSubsampleRatio420)
	got := image.NewYCbCr(want.Rect, want.SubsampleRatio)
	for _, p := range [][]byte{want.Y, want.Cb, want.Cr, got.Y, got.Cb, got.Cr} {
		for i := range p {
			p[i] = canary
		}
	}
	o, c := want.YOffset(r.Min.X, r.Min.Y), want.COffset(r.Min.X, r.Min.Y)
	cw, ch := ceil(r.Dx(), 2), ceil(r.Dy(), 2)
	copyPlane(want.Y[o:], want.YStride, alone.Y, alone.YStride, r.Dx(), r.Dy())
	copyPlane(want.Cb[c:], want.CStride, alone.Cb, alone.CStride, cw, ch)
	copyPlane(want.Cr[c:], want.CStride, alone.Cr, alone.CStride, cw, ch)
	if err := d.DecodeYCbCr(got.SubImage(r).(*image.YCbCr), data); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Y, want.Y) || !bytes.Equal(got.Cb, want.Cb) || !bytes.Equal(got.Cr, want.Cr) {
		t.Error("planar: the view is wrong, or what is around it was touched")
	}

	bgr := ReuseBGR(nil, r.Dx(), r.Dy())
	if err := d.DecodeBGR(bgr, data); err != nil {
		t.Fatal(err)
	}
	big, expect := NewBGR(image.Rect(0, 0, 100, 90)), NewBGR(image.Rect(0, 0, 100, 90))
	for i := range big.Pix {
		big.Pix[i], expect.Pix[i] = canary, canary
	}
	copyPlane(expect.Pix[expect.PixOffset(r.Min.X, r.Min.Y):], expect.Stride, bgr.Pix, bgr.Stride, 3*r.Dx(), r.Dy())
	if err := d.DecodeBGR(big.SubImage(r).(*BGR), data); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(big.Pix, expect.Pix) {
		t.Error("BGR: the view is wrong, or what is around it was touched")
	}
}

// TestDecodeTruncated cuts a JPEG at every byte: a torn picture is never returned.
func TestDecodeTruncated(t *testing.T) {
	d := newDecoder(t)
	for name, data := range map[string][]byte{
		"baseline":    encode(t, newEncoder(t, EncoderConfig{}), photo(61, 43)),
		"restart":     blocks{size: image.Pt(61, 43), factors: []byte{0x22, 0x11, 0x11}, restart: 2}.jpeg(),
		"progressive": readTestdata(t, "progressive.jpg"),
	} {
		bgr, planar := ReuseBGR(nil, 61, 43), ReuseYCbCr(nil, 61, 43, image.YCbCrSubsampleRatio420)
		if err := errors.Join(d.DecodeBGR(bgr, data), d.DecodeYCbCr(planar, data)); err != nil {
			t.Errorf("%s: whole: %v", name, err)
		}
		for n := range data {
			if err := d.DecodeBGR(bgr, data[:n]); !errors.Is(err, ErrFormat) {
				t.Fatalf("%s: BGR from %d of %d bytes: %v", name, n, len(data), err)
			}
			if err := d.DecodeYCbCr(planar, data[:n]); !errors.Is(err, ErrFormat) {
				t.Fatalf("%s: planar from %d of %d bytes: %v", name, n, len(data), err)
			}
			// Cut, but closed with an EOI: as much is missing. (Not so within the last
			// bytes of the scan; and a progressive JPEG may well end early.)
			if name != "progressive" && n < len(data)-5 {
				if err := d.DecodeBGR(bgr, append(data[:n:n], 0xFF, mEOI)); err == nil {
					t.Fatalf("%s: %d of %d bytes and EOI were taken", name, n, len(data))
				}
			}
		}
	}
}

// TestDecodePadding: what common webcams send before and after EOI does no harm.
func TestDecodePadding(t *testing.T) {
	d := newDecoder(t)
	data := encode(t, newEncoder(t, EncoderConfig{}), photo(61, 43))
	want := ReuseBGR(nil, 61, 43)
	if err := d.DecodeBGR(want, data); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		pad := make([]byte, n)
		for name, in := range map[string][]byte{
			"before": append(append(data[:len(data)-2:len(data)-2], pad...), 0xFF, mEOI),
			"behind": append(data[:len(data):len(data)], pad...),
		} {
			got := ReuseBGR(nil, 61, 43)
			if err := d.DecodeBGR(got, in); err != nil || !bytes.Equal(got.Pix, want.Pix) {
				t.Fatalf("%d bytes %s EOI: %v", n, name, err)
			}
		}
	}
	if err := d.DecodeBGR(want, append(data[:len(data)-2:len(data)-2], make([]byte, 40)...)); !errors.Is(err, ErrFormat) {
		t.Errorf("padding without EOI: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	d := newDecoder(t)
	data := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	for name, err := range map[string]error{
		"another size":      d.DecodeBGR(ReuseBGR(nil, 64, 47), data),
		"planar":            d.DecodeYCbCr(ReuseYCbCr(nil, 65, 48, image.YCbCrSubsampleRatio420), data),
		"another ratio":     d.DecodeYCbCr(ReuseYCbCr(nil, 64, 48, image.YCbCrSubsampleRatio444), data),
		"memory too short":  d.DecodeBGR(&BGR{Pix: make([]byte, 64*48*3-1), Stride: 64 * 3, Rect: image.Rect(0, 0, 64, 48)}, data),
		"stride too small":  d.DecodeBGR(&BGR{Pix: make([]byte, 64*48*3), Stride: 63 * 3, Rect: image.Rect(0, 0, 64, 48)}, data),
		"no chroma":         d.DecodeYCbCr(&image.YCbCr{Y: make([]byte, 64*48), YStride: 64, CStride: 32, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, 64, 48)}, data),
		"between samples":   d.DecodeYCbCr(image.NewYCbCr(image.Rect(0, 0, 80, 80), image.YCbCrSubsampleRatio420).SubImage(image.Rect(1, 0, 65, 48)).(*image.YCbCr), data),
		"nothing":           d.DecodeBGR(ReuseBGR(nil, 0, 0), nil),
		"huge, 100 bytes":   d.DecodeBGR(&BGR{Rect: image.Rect(0, 0, 65000, 65000)}, blocks{size: image.Pt(65000, 8), factors: []byte{0x11}}.jpeg()),
		"CMYK":              d.DecodeBGR(ReuseBGR(nil, 8, 8), blocks{size: image.Pt(8, 8), factors: []byte{0x11, 0x11, 0x11, 0x11}}.jpeg()),
		"RGB":               d.DecodeBGR(ReuseBGR(nil, 8, 8), blocks{size: image.Pt(8, 8), factors: []byte{0x11, 0x11, 0x11}, ids: []byte("RGB")}.jpeg()),
		"a baseline header": d.DecodeBGR(ReuseBGR(nil, 8, 8), append(blocks{size: image.Pt(8, 8), factors: []byte{0x11}}.jpeg()[:200], 0xFF, mEOI)),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	huge := append([]byte{0xFF, mSOI}, segment(mSOF0, 8, 0xF0, 0, 0xF0, 0, 1, 1, 0x11, 0)...)
	var large *TooLargeError
	if err := d.DecodeBGR(ReuseBGR(nil, 8, 8), huge); !errors.As(err, &large) {
		t.Errorf("huge: %v", err)
	}

	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := d.DecodeBGR(ReuseBGR(nil, 64, 48), data); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := d.DecodeYCbCr(ReuseYCbCr(nil, 64, 48, image.YCbCrSubsampleRatio420), data); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestDecodeRecovers: what a broken JPEG leaves behind does no harm to the next, at
// whatever place it is broken.
func TestDecodeRecovers(t *testing.T) {
	d := newDecoder(t)
	good := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	dst := ReuseBGR(nil, 64, 48)
	for at := range 700 {
		for _, v := range []byte{0, 0x55, 0xFF} {
			bad := bytes.Clone(good)
			bad[at] = v
			d.DecodeBGR(dst, bad) // may do or not
			if err := d.DecodeBGR(dst, good); err != nil {
				t.Fatalf("after a JPEG with %02X at byte %d: %v", v, at, err)
			}
		}
	}
}

// FuzzDecode feeds the decoder anything that has a header. It may refuse; it must
// not write outside dst.
func FuzzDecode(f *testing.F) {
	for _, p := range []blocks{
		{factors: []byte{0x22, 0x11, 0x11}},
		{factors: []byte{0x41, 0x11, 0x11}, restart: 2},
		{factors: []byte{0x22, 0x21, 0x21}, scans: [][]int{{0}, {1, 2}}},
		{factors: []byte{0x22}, noTables: true},
	} {
		p.size = image.Pt(21, 11)
		f.Add(p.jpeg())
	}
	f.Add(readTestdata(f, "progressive.jpg"))
	d := newDecoder(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseHeader(data)
		if err != nil || h.Width*h.Height > 1<<16 {
			return
		}
		const guard = 64
		bgr := make([]byte, 2*guard+3*h.Width*h.Height)
		for i := range bgr {
			bgr[i] = 0xA5
		}
		p := &BGR{Pix: bgr[guard : len(bgr)-guard], Stride: 3 * h.Width, Rect: image.Rect(0, 0, h.Width, h.Height)}
		packed := d.DecodeBGR(p, data)
		edges := [][]byte{bgr[:guard], bgr[len(bgr)-guard:]}

		m := ReuseYCbCr(nil, h.Width, h.Height, h.Ratio)
		for _, plane := range []*[]byte{&m.Y, &m.Cb, &m.Cr} {
			mem := bytes.Repeat([]byte{0xA5}, 2*guard+len(*plane))
			edges = append(edges, mem[:guard], mem[len(mem)-guard:])
			*plane = mem[guard : len(mem)-guard : len(mem)-guard]
		}
		planar := d.DecodeYCbCr(m, data)
		for _, e := range edges {
			if !bytes.Equal(e, bytes.Repeat([]byte{0xA5}, guard)) {
				t.Fatal("wrote outside dst")
			}
		}
		if (packed == nil) != (planar == nil) {
			t.Fatalf("BGR: %v; planar: %v", packed, planar)
		}
	})
}
