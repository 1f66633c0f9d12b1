package codec

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"
)

// TestEncodeIsRead encodes every kind of input at every size, and has image/jpeg
// read it.
func TestEncodeIsRead(t *testing.T) {
	e := newEncoder(t, EncoderConfig{Quality: 95})
	for _, size := range sizes {
		rgba := photo(size.X, size.Y)
		inputs := map[string]image.Image{"RGBA": rgba, "BGR": toBGR(rgba), "gray": toGray(rgba)}
		for _, r := range ratios {
			inputs[r.String()] = toYCbCr(rgba, r)
		}
		for kind, in := range inputs {
			m, err := jpeg.Decode(bytes.NewReader(encode(t, e, in)))
			if err != nil {
				t.Errorf("%s %s: %v", name(size), kind, err)
				continue
			}
			if g, ok := m.(*image.Gray); ok && kind == "gray" {
				if p := psnr(t, g, in); p < 36 {
					t.Errorf("%s %s: %.1f dB", name(size), kind, p)
				}
				continue
			}
			got := m.(*image.YCbCr)
			bound := 32.0
			if p, ok := in.(*image.YCbCr); ok && p.SubsampleRatio != got.SubsampleRatio {
				bound = 20 // image/jpeg has resampled chroma; still, blue is not red
			}
			if luma, chroma := planePSNR(t, got, toYCbCr(rgba, got.SubsampleRatio)); luma < 36 || chroma < bound {
				t.Errorf("%s %s: luma %.1f dB, chroma %.1f dB", name(size), kind, luma, chroma)
			}
		}
	}
}

// TestEncodeSubsampling reads the ratio in the header.
func TestEncodeSubsampling(t *testing.T) {
	rgba := photo(50, 30)
	for sub, want := range map[Subsampling]Header{
		Sub420:  {Components: 3, Ratio: image.YCbCrSubsampleRatio420},
		Sub422:  {Components: 3, Ratio: image.YCbCrSubsampleRatio422},
		Sub444:  {Components: 3, Ratio: image.YCbCrSubsampleRatio444},
		SubGray: {Components: 1, Ratio: image.YCbCrSubsampleRatio420, Gray: true},
	} {
		e, err := NewEncoder(EncoderConfig{Subsampling: sub})
		if pure && (sub == Sub422 || sub == Sub444) {
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%d: got %v, want ErrUnsupported", sub, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for _, in := range []image.Image{rgba, toBGR(rgba), toGray(rgba), toYCbCr(rgba, want.Ratio)} {
			data := encode(t, e, in)
			h, err := ParseHeader(data)
			if err != nil {
				t.Fatal(err)
			}
			expect := want
			if _, ok := in.(*image.Gray); ok {
				expect = Header{Components: 1, Ratio: image.YCbCrSubsampleRatio420, Gray: true}
			}
			expect.Width, expect.Height, expect.Huffman, expect.Scan, expect.Data = 50, 30, true, h.Scan, h.Data
			if h != expect {
				t.Errorf("%d from %T: got %+v, want %+v", sub, in, h, expect)
			}
			got, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if expect.Gray {
				if p := psnr(t, got, toGray(rgba)); p < 32 {
					t.Errorf("%d from %T: %.1f dB", sub, in, p)
				}
			}
		}
	}
}

// TestEncodeKeepsPlanarRatio is what TurboJPEG does and image/jpeg cannot.
func TestEncodeKeepsPlanarRatio(t *testing.T) {
	e := newEncoder(t, EncoderConfig{Quality: 90})
	for _, r := range ratios {
		in := toYCbCr(photo(70, 50), r)
		data := encode(t, e, in)
		h, err := ParseHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		if pure {
			r = image.YCbCrSubsampleRatio420
		}
		if h.Ratio != r {
			t.Errorf("%v became %v", r, h.Ratio)
		}
		if !pure {
			out := ReuseYCbCr(nil, 70, 50, r)
			if err := newDecoder(t).DecodeYCbCr(out, data); err != nil {
				t.Fatal(err)
			}
			if luma, chroma := planePSNR(t, in, out); luma < 36 || chroma < 36 {
				t.Errorf("%v: luma %.1f dB, chroma %.1f dB", r, luma, chroma)
			}
		}
	}
}

// TestEncodeView encodes views in the middle of a larger picture: they must give the
// bytes that a picture of their own gives, whatever stands around them.
func TestEncodeView(t *testing.T) {
	encodeView(t, newEncoder(t, EncoderConfig{}))
	encodeView(t, newEncoder(t, EncoderConfig{Slices: 2}))
}

func encodeView(t *testing.T, e *Encoder) {
	whole := photo(100, 90)
	for _, r := range []image.Rectangle{
		image.Rect(0, 16, 100, 48), image.Rect(16, 32, 80, 64), image.Rect(4, 2, 41, 33), image.Rect(96, 86, 100, 90), image.Rect(0, 48, 100, 49),
	} {
		own := image.NewRGBA(image.Rectangle{Max: r.Size()})
		for y := range r.Dy() {
			copy(own.Pix[y*own.Stride:][:own.Stride], whole.Pix[whole.PixOffset(r.Min.X, r.Min.Y+y):])
		}
		for _, c := range []struct{ view, own image.Image }{
			{whole.SubImage(r), own},
			{toBGR(whole).SubImage(r), toBGR(own)},
			{toGray(whole).SubImage(r), toGray(own)},
			{cut(whole, r, image.YCbCrSubsampleRatio420), toYCbCr(own, image.YCbCrSubsampleRatio420)},
			{cut(whole, r, image.YCbCrSubsampleRatio411), toYCbCr(own, image.YCbCrSubsampleRatio411)},
		} {
			if !bytes.Equal(encode(t, e, c.view), encode(t, e, c.own)) {
				t.Errorf("%T %v: the view is encoded differently", c.view, r)
			}
		}
	}
}

// cut is a view of a planar picture whose samples outside are all ruined.
func cut(whole *image.RGBA, r image.Rectangle, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	own := whole.SubImage(r).(*image.RGBA)
	planar := toYCbCr(own, ratio)
	big := image.NewYCbCr(whole.Rect, ratio)
	for _, plane := range [][]byte{big.Y, big.Cb, big.Cr} {
		for i := range plane {
			plane[i] = byte(i * 89)
		}
	}
	view := big.SubImage(r).(*image.YCbCr)
	hs, vs := steps(ratio)
	copyPlane(view.Y, view.YStride, planar.Y, planar.YStride, r.Dx(), r.Dy())
	copyPlane(view.Cb, view.CStride, planar.Cb, planar.CStride, ceil(r.Dx(), hs), ceil(r.Dy(), vs))
	copyPlane(view.Cr, view.CStride, planar.Cr, planar.CStride, ceil(r.Dx(), hs), ceil(r.Dy(), vs))
	return view
}

func TestEncodeQuality(t *testing.T) {
	e := newEncoder(t, EncoderConfig{})
	in := photo(160, 120)
	byDefault := len(encode(t, e, in))
	last := 0
	for _, q := range []int{1, 20, 50, DefaultQuality, 95, 100} {
		if err := e.SetQuality(q); err != nil {
			t.Fatal(err)
		}
		n := len(encode(t, e, in))
		if n <= last {
			t.Errorf("quality %d: %d bytes, not more than %d of the one below", q, n, last)
		}
		if q == DefaultQuality && n != byDefault {
			t.Errorf("quality %d: %d bytes, the default gives %d", q, n, byDefault)
		}
		last = n
	}
	for _, q := range []int{-1, 0, 101} {
		if e.SetQuality(q) == nil {
			t.Errorf("quality %d was taken", q)
		}
	}
	for _, cfg := range []EncoderConfig{{Quality: 101}, {Quality: -1}, {Subsampling: -1}, {Subsampling: SubGray + 1}} {
		if _, err := NewEncoder(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := newEncoder(t, EncoderConfig{})
	prefix := []byte("kept")
	refuse := func(name string, in image.Image) error {
		out, err := e.Append(prefix, in)
		if err == nil || !bytes.Equal(out, prefix) {
			t.Errorf("%s: got %d bytes, %v", name, len(out), err)
		}
		return err
	}
	for name, in := range map[string]image.Image{
		"no pixels":   image.NewGray(image.Rectangle{}),
		"other types": image.NewNRGBA(image.Rect(0, 0, 8, 8)),
	} {
		if err := refuse(name, in); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !pure {
		if err := refuse("4:1:0", image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio410)); !errors.Is(err, ErrUnsupported) {
			t.Error(err)
		}
	}
	var large *TooLargeError
	if err := refuse("too large", &image.Gray{Rect: image.Rect(0, 0, 1<<13, 1<<13+1)}); !errors.As(err, &large) {
		t.Error(err)
	}
	planar := toYCbCr(photo(32, 32), image.YCbCrSubsampleRatio420)
	refuse("a view between chroma samples", planar.SubImage(image.Rect(1, 0, 9, 8)))
	refuse("a view between chroma rows", planar.SubImage(image.Rect(0, 3, 8, 9)))
	short := *planar
	short.Cr = short.Cr[:len(short.Cr)-1]
	refuse("a plane cut short", &short)
	refuse("pixels cut short", &BGR{Pix: make([]byte, 3*64-1), Stride: 24, Rect: image.Rect(0, 0, 8, 8)})
	refuse("a stride below the width", &BGR{Pix: make([]byte, 1000), Stride: 23, Rect: image.Rect(0, 0, 8, 8)})
	refuse("a negative stride", &image.Gray{Pix: make([]byte, 1000), Stride: -8, Rect: image.Rect(0, 0, 8, 8)})
	refuse("a stride that overflows", &image.Gray{Pix: make([]byte, 1000), Stride: math.MaxInt, Rect: image.Rect(0, 0, 8, 8)})
	if out, err := e.Append(prefix, planar); err != nil || !bytes.HasPrefix(out, []byte("kept\xFF\xD8")) {
		t.Errorf("%d bytes, %v", len(out), err)
	}

	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, in := range []image.Image{planar, photo(8, 8)} {
		if err := refuse("a closed encoder", in); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

func TestBGRIsAnImage(t *testing.T) {
	rgba := photo(9, 7)
	p := toBGR(rgba)
	for y := range 7 {
		for x := range 9 {
			if p.At(x, y) != color.Color(rgba.RGBAAt(x, y)) {
				t.Fatalf("at %d,%d: %v, want %v", x, y, p.At(x, y), rgba.RGBAAt(x, y))
			}
		}
	}
	view := p.SubImage(image.Rect(3, 2, 90, 90)).(*BGR)
	if want := image.Rect(3, 2, 9, 7); view.Bounds() != want {
		t.Errorf("bounds %v, want %v", view.Bounds(), want)
	}
	red := color.RGBA{R: 200, G: 1, B: 2, A: 255}
	view.Set(4, 5, red)
	view.Set(0, 0, red) // outside
	if p.At(4, 5) != color.Color(red) || p.At(0, 0) == color.Color(red) {
		t.Error("Set through a view went wrong")
	}
	if e := p.SubImage(image.Rect(20, 20, 30, 30)); !e.Bounds().Empty() || e.At(20, 20) != (color.RGBA{}) {
		t.Error("a view outside is not empty")
	}
}

func TestReuse(t *testing.T) {
	p := ReuseBGR(nil, 40, 30)
	first := &p.Pix[0]
	if p = ReuseBGR(p, 30, 40); &p.Pix[0] != first || p.Rect != image.Rect(0, 0, 30, 40) || p.Stride != 90 {
		t.Errorf("fresh memory, or wrong: %v, %d", p.Rect, p.Stride)
	}
	if p = ReuseBGR(p, 300, 40); len(p.Pix) != 3*300*40 {
		t.Errorf("%d bytes", len(p.Pix))
	}

	y := ReuseYCbCr(nil, 64, 48, image.YCbCrSubsampleRatio444)
	base := &y.Y[0]
	for _, r := range ratios {
		for _, size := range []image.Point{{64, 48}, {63, 47}, {1, 1}} {
			y = ReuseYCbCr(y, size.X, size.Y, r)
			want := image.NewYCbCr(image.Rectangle{Max: size}, r)
			if len(y.Y) != len(want.Y) || len(y.Cb) != len(want.Cb) || len(y.Cr) != len(want.Cr) ||
				y.YStride != want.YStride || y.CStride != want.CStride || y.Rect != want.Rect || y.SubsampleRatio != r {
				t.Errorf("%v %v is laid out unlike image.NewYCbCr", r, size)
			}
			if &y.Y[0] != base {
				t.Errorf("%v %v: fresh memory", r, size)
			}
		}
	}
}
