package capture

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"testing"

	"github.com/framegram/framegram/codec"
)

func TestParseY4M(t *testing.T) {
	const r420, r422, r444 = image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio444
	for line, want := range map[string]y4mHeader{
		// As FFmpeg 5.1 writes it.
		"YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG XCOLORRANGE=LIMITED": {w: 1280, h: 720, fps: 30, ratio: r420},
		"YUV4MPEG2 W1280 H720 F25:1 Ip A0:0 C444 XYSCSS=444 XCOLORRANGE=FULL":            {w: 1280, h: 720, fps: 25, ratio: r444, full: true},
		"YUV4MPEG2 W64 H48 F30000:1001 Ip C422 XYSCSS=422":                               {w: 64, h: 48, fps: 30000.0 / 1001, ratio: r422},
		"YUV4MPEG2 W64 H48 F30:1 Ip A1:1 Cmono XCOLORRANGE=FULL":                         {w: 64, h: 48, fps: 30, ratio: r420, mono: true, full: true},
		"YUV4MPEG2 W64 H48 It C420mpeg2":                                                 {w: 64, h: 48, ratio: r420},
		"YUV4MPEG2 H1 W1 F0:0 C420paldv":                                                 {w: 1, h: 1, ratio: r420},
		"YUV4MPEG2  W3  H5 ":                                                             {w: 3, h: 5, ratio: r420},
	} {
		if got, err := parseY4M(line); err != nil || got != want {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", line, got, err, want)
		}
	}
}

func TestY4MSize(t *testing.T) {
	for space, want := range map[string]int{"420": 5*3 + 2*3*2, "422": 5*3 + 2*3*3, "444": 3 * 5 * 3, "mono": 5 * 3} {
		h, err := parseY4M("YUV4MPEG2 W5 H3 C" + space)
		if err != nil || h.size() != want {
			t.Errorf("5x3 in C%s: got %d bytes, %v, want %d", space, h.size(), err, want)
		}
	}
}

func FuzzParseY4M(f *testing.F) {
	f.Add("YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG XCOLORRANGE=LIMITED")
	f.Add("YUV4MPEG2 W5 H3 F0:0 Cmono")
	f.Add("YUV4MPEG2 W H F: C X")
	f.Fuzz(func(t *testing.T, line string) {
		h, err := parseY4M(line)
		if err != nil {
			return
		}
		if h.w < 1 || h.h < 1 || h.w*h.h > codec.MaxPixels || !(h.fps >= 0 && h.fps <= maxFPS) {
			t.Fatalf("%q gives %+v", line, h)
		}
		if h.size() > 1<<20 {
			return
		}
		img := h.viewer()(make([]byte, h.size())).(*image.YCbCr)
		if img.Rect.Dx() != h.w || img.Rect.Dy() != h.h {
			t.Fatalf("%q: the picture is %v", line, img.Rect)
		}
		img.YCbCrAt(h.w-1, h.h-1) // panics if a plane is too short
	})
}

// toNarrow is what a converter from full to limited range does.
func toNarrow(v byte, high int) byte { return byte((float64(v)*float64(high-16))/255 + 16 + 0.5) }

// A picture written as YUV4MPEG2 comes out of the JPEG with its colours, whatever its
// chroma and range.
func TestY4MRoundTrip(t *testing.T) {
	const luma, cb, cr = 180, 90, 160
	for space, ratio := range y4mRatios {
		for _, full := range []bool{true, false} {
			for _, size := range []image.Point{{64, 48}, {33, 17}, {1, 1}} {
				t.Run(fmt.Sprint("C", space, " full ", full, size), func(t *testing.T) {
					img, wantCb, wantCr := plain(size.X, size.Y, ratio, luma, cb, cr), byte(cb), byte(cr)
					header := fmt.Sprintf("YUV4MPEG2 W%d H%d F30:1", size.X, size.Y)
					if space != "" {
						header += " C" + space
					}
					if full {
						header += " XCOLORRANGE=FULL"
					} else {
						for _, p := range []struct {
							b    []byte
							high int
						}{{img.Y, 235}, {img.Cb, 240}, {img.Cr, 240}} {
							for i, v := range p.b {
								p.b[i] = toNarrow(v, p.high)
							}
						}
					}
					input := bytes.Join([][]byte{[]byte(header + "\nFRAME Ip\n"), img.Y, img.Cb, img.Cr}, nil)
					if space == "mono" {
						input, wantCb, wantCr = input[:len(input)-2*len(img.Cb)], 128, 128
					}
					s := mustOpen(t, Config{Source: "-", Stdin: asFile(t, input), Quality: 95})
					if got := info(s); got.Size != size || got.FPS != 30 || got.Live {
						t.Errorf("got %+v", got)
					}
					got, err := takeAll(t, s)
					if err != nil || len(got) != 1 || got[0].size != size {
						t.Fatalf("got %d frames, %v", len(got), err)
					}
					if y, b, r := colour(decode(t, got[0].jpeg)); !near(y, luma, 3) || !near(b, wantCb, 3) || !near(r, wantCr, 3) {
						t.Errorf("got %d, %d, %d, want %d, %d, %d", y, b, r, luma, wantCb, wantCr)
					}
				})
			}
		}
	}
}

func TestY4MIsScaled(t *testing.T) {
	for _, space := range []string{"420", "422", "444", "mono"} {
		h, err := parseY4M("YUV4MPEG2 W64 H48 C" + space)
		if err != nil {
			t.Fatal(err)
		}
		input := "YUV4MPEG2 W64 H48 XCOLORRANGE=FULL C" + space + "\nFRAME\n" + strings.Repeat("\x80", h.size())
		s := mustOpen(t, Config{Source: "-", Stdin: asFile(t, []byte(input)), Size: image.Pt(100, 30)})
		if got := take(t, s, 1)[0]; got.size != image.Pt(100, 30) || decode(t, got.jpeg).Rect.Size() != got.size || info(s).Size != got.size {
			t.Errorf("C%s: got %v, and %+v", space, got.size, info(s))
		}
	}
}

func TestRangeTable(t *testing.T) {
	for _, high := range []int{235, 240} {
		table := newRangeTable(16, high)
		for n := range 20 { // lengths around the width of a step
			for v := range 256 {
				b := bytes.Repeat([]byte{byte(v)}, n)
				table.apply(b)
				exact := min(max(float64(v-16)*255/float64(high-16), 0), 255)
				for _, got := range b {
					if d := float64(got) - exact; d > 0.5 || d < -0.5 {
						t.Fatalf("%d of 16..%d became %d, want %.2f", v, high, got, exact)
					}
				}
			}
		}
		mixed := []byte{16, byte(high), 0, 255, 16, byte(high), 0, 255, 16, byte(high)}
		table.apply(mixed)
		if want := []byte{0, 255, 0, 255, 0, 255, 0, 255, 0, 255}; !bytes.Equal(mixed, want) {
			t.Errorf("got % d, want % d", mixed, want)
		}
	}
	neutral := []byte{128}
	newRangeTable(16, 240).apply(neutral)
	if neutral[0] != 128 {
		t.Errorf("grey has become chroma %d", neutral[0])
	}
}
