package timecode

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var example = Code{ID: 1234567, Captured: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}

// TestGolden compares with the worked example of docs/TIMECODE.md.
func TestGolden(t *testing.T) {
	page, err := os.ReadFile("../docs/TIMECODE.md")
	if err != nil {
		t.Fatal(err)
	}
	b := example.bytes()
	var cells strings.Builder
	for i := range Columns * Rows {
		if i%Columns == 0 {
			cells.WriteString("\n    ")
		}
		cells.WriteByte(map[uint8]byte{black: '.', white: '#'}[level(b, i)])
	}
	for _, want := range []string{fmt.Sprintf("\n    % x\n", b), cells.String() + "\n"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not hold%s", want)
		}
	}
	if c, err := parse(b); err != nil || c.ID != example.ID || !c.Captured.Equal(example.Captured) {
		t.Errorf("%v, %v", c, err)
	}
}

// reference draws the strip straight from docs/TIMECODE.md, a pixel at a time.
func reference(w, h int, bits [codeLen]byte) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for row := range 3 {
		for col := range 48 {
			i := row*48 + col
			v := uint8(16)
			if bits[i/8]&(0x80>>(i%8)) != 0 {
				v = 235
			}
			for y := row * h / 40; y < (row+1)*h/40; y++ {
				for x := col * w / 48; x < (col+1)*w/48; x++ {
					m.SetGray(x, y, color.Gray{Y: v})
				}
			}
		}
	}
	return m
}

// bgrx is a picture that only Packed knows.
type bgrx struct {
	*image.RGBA
	bytes int
}

func (p bgrx) Pixels() ([]byte, int, int) { return p.Pix, p.Stride, p.bytes }

// picture is any other kind of picture that can be drawn on.
type picture struct{ *image.NRGBA }

func noise(p []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
}

// kinds returns a picture of every kind, full of noise, each a view that starts
// inside a larger picture.
func kinds(w, h int) map[string]image.Image {
	outer := image.Rect(0, 0, w+20, h+20)
	inner := image.Rect(8, 4, 8+w, 4+h)
	all := map[string]image.Image{}
	for _, r := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411} {
		m := image.NewYCbCr(outer, r)
		noise(m.Y)
		noise(m.Cb)
		noise(m.Cr)
		all[r.String()] = m.SubImage(inner)
	}
	gray, rgba, nrgba := image.NewGray(outer), image.NewRGBA(outer), image.NewNRGBA(outer)
	noise(gray.Pix)
	noise(rgba.Pix)
	noise(nrgba.Pix)
	all["gray"], all["RGBA"] = gray.SubImage(inner), rgba.SubImage(inner)
	all["packed"] = bgrx{image.NewRGBA(image.Rect(0, 0, w, h)), 4}
	all["other"] = picture{nrgba.SubImage(inner).(*image.NRGBA)}
	return all
}

func TestPaintAndRead(t *testing.T) {
	for _, size := range []image.Point{{192, 160}, {193, 161}, {320, 240}, {417, 299}} {
		want := reference(size.X, size.Y, example.bytes())
		strip := 3 * size.Y / 40
		for kind, img := range kinds(size.X, size.Y) {
			before := luma(img, strip)
			if err := Paint(img, example); err != nil {
				t.Errorf("%v %s: %v", size, kind, err)
				continue
			}
			if got, err := Read(img); err != nil || got.ID != example.ID || !got.Captured.Equal(example.Captured) {
				t.Errorf("%v %s: got %v, %v", size, kind, got, err)
			}
			if string(luma(img, strip)) != string(before) {
				t.Errorf("%v %s: painted below the strip", size, kind)
			}
			at := img.Bounds().Min
			for y := range strip {
				for x := range size.X {
					r, g, b, _ := img.At(at.X+x, at.Y+y).RGBA()
					v := uint32(want.GrayAt(x, y).Y)
					if _, ok := img.(picture); !ok && (r>>8 != v || g>>8 != v || b>>8 != v) {
						t.Fatalf("%v %s: at %d,%d: %d,%d,%d, want %d", size, kind, x, y, r>>8, g>>8, b>>8, v)
					}
				}
			}
		}
	}
}

// luma reads everything from row y down.
func luma(img image.Image, y int) (all []byte) {
	b := img.Bounds()
	for y := b.Min.Y + y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if m, ok := img.(*image.YCbCr); ok { // chroma of the row below may be the strip's
				all = append(all, m.YCbCrAt(x, y).Y)
				continue
			}
			r, g, b, a := img.At(x, y).RGBA()
			all = append(all, byte(r>>8), byte(g>>8), byte(b>>8), byte(a>>8))
		}
	}
	return all
}

// TestPaintStaysInside looks at what is around a view.
func TestPaintStaysInside(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 300, 300))
	inner := image.Rect(40, 50, 240, 250)
	if err := Paint(m.SubImage(inner), example); err != nil {
		t.Fatal(err)
	}
	strip := image.Rect(40, 50, 240, 50+3*200/40)
	for y := range 300 {
		for x := range 300 {
			if painted := m.RGBAAt(x, y).R != 0; painted != image.Pt(x, y).In(strip) {
				t.Fatalf("at %d,%d: painted %v", x, y, painted)
			}
		}
	}
	if m.RGBAAt(239, 64).A != 255 {
		t.Error("the strip is not opaque")
	}
}

func TestValues(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 192, 160))
	for _, c := range []Code{
		{0, time.UnixMicro(0)},
		{1<<32 - 1, time.UnixMicro(-1)},
		{1, time.UnixMicro(math.MaxInt64)},
		{2, time.UnixMicro(math.MinInt64)},
		{3, time.Unix(1, 999_999_999)}, // cut to the microsecond
	} {
		if err := Paint(m, c); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(m); err != nil || got.ID != c.ID || got.Captured.UnixMicro() != c.Captured.UnixMicro() {
			t.Errorf("got %v, %v, want %v", got, err, c)
		}
	}
}

func TestPaintRefuses(t *testing.T) {
	for _, size := range []image.Point{{191, 160}, {192, 159}, {1, 1}, {0, 0}} {
		m := image.NewGray(image.Rectangle{Max: size})
		if err := Paint(m, example); !errors.Is(err, ErrTooSmall) {
			t.Errorf("%v: %v", size, err)
		}
	}
	short := image.NewGray(image.Rect(0, 0, 200, 200))
	short.Pix = short.Pix[:len(short.Pix)-1]
	for name, m := range map[string]image.Image{
		"not to be drawn on": image.NewUniform(color.Black),
		"too little memory":  short,
	} {
		if err := Paint(m, example); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(short); !errors.Is(err, ErrNoCode) {
		t.Errorf("read from too little memory: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	painted := func() *image.Gray {
		m := image.NewGray(image.Rect(0, 0, 480, 400))
		if err := Paint(m, example); err != nil {
			t.Fatal(err)
		}
		return m
	}
	invert := func(m *image.Gray, i int) *image.Gray {
		r := cell(m.Rect.Size(), i)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				m.Pix[y*m.Stride+x] = 251 - m.Pix[y*m.Stride+x]
			}
		}
		return m
	}
	for i := range 144 {
		want := ErrChecksum
		if i < 16 {
			want = ErrNoCode
		}
		if c, err := Read(invert(painted(), i)); err != want || c != (Code{}) {
			t.Errorf("cell %d inverted: %v, %v", i, c, err)
		}
	}
	pale := painted()
	for i, v := range pale.Pix {
		pale.Pix[i] = 100 + v/8 // 27 levels of contrast
	}
	lower := painted().SubImage(image.Rect(0, 30, 480, 400))
	for name, m := range map[string]image.Image{
		"flat":          image.NewGray(image.Rect(0, 0, 480, 400)),
		"pale":          pale,
		"cut off":       lower,
		"endless":       image.NewUniform(color.White),
		"below minimum": painted().SubImage(image.Rect(0, 0, 95, 400)),
		"no pixels":     image.NewRGBA(image.Rectangle{}),
	} {
		if _, err := Read(m); err != ErrNoCode {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoFalseCode: noise must not be read as a code.
func TestNoFalseCode(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	m := image.NewGray(image.Rect(0, 0, 96, 80))
	for range 300 {
		for i := range m.Pix {
			m.Pix[i] = byte(r.Uint32())
		}
		if c, err := Read(m); err == nil {
			t.Fatalf("read %v from noise", c)
		}
	}
}

// FuzzRead reads from pictures of any size, kind and memory, and paints on them.
func FuzzRead(f *testing.F) {
	ok := example.bytes()
	f.Add(uint16(192), uint16(160), 0, uint8(1), reference(192, 160, ok).Pix)
	f.Add(uint16(200), uint16(170), 900, uint8(4), make([]byte, 900*170))
	f.Add(uint16(0), uint16(0), -1, uint8(3), []byte(strings.Repeat("x", 99)))
	f.Fuzz(func(t *testing.T, w, h uint16, stride int, step uint8, pix []byte) {
		h = min(h, 500)
		r := image.Rect(0, 0, int(w), int(h))
		m := bgrx{&image.RGBA{Pix: pix, Stride: stride, Rect: r}, int(step)}
		if stride == 0 {
			m.Stride = int(w) * int(step)
		}
		if step != 1 && step != 3 && step != 4 {
			m.Pix = make([]byte, 4*int(w)*int(h)) // read through At
			m.Stride, m.Rect.Max.Y = 4*int(w), int(h)
		}
		if _, err := Read(m); err != nil && err != ErrNoCode && err != ErrChecksum {
			t.Fatal(err)
		}
		if Paint(m, example) == nil {
			if c, err := Read(m); err != nil || c.ID != example.ID {
				t.Fatalf("%v, %v after Paint", c, err)
			}
		}
	})
}

func BenchmarkPaint(b *testing.B) {
	for kind, m := range map[string]image.Image{
		"planar": image.NewYCbCr(image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420),
		"BGR":    bgrx{&image.RGBA{Pix: make([]byte, 1920*1080*3), Stride: 1920 * 3, Rect: image.Rect(0, 0, 1920, 1080)}, 3},
		"RGBA":   image.NewRGBA(image.Rect(0, 0, 1920, 1080)),
	} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Paint(m, example); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	m := image.NewYCbCr(image.Rect(0, 0, 1920, 1080), image.YCbCrSubsampleRatio420)
	if err := Paint(m, example); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(m); err != nil {
			b.Fatal(err)
		}
	}
}
