//go:build cgo && !noturbo

package codec

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// Flags of TurboJPEG 2, as in turbojpeg.h.
const (
	tjFastUpsample = 256
	tjFastDCT      = 2048
	tjAccurateDCT  = 4096
)

// BenchmarkWorth is what the choices behind ENCODE_FLAGS and DECODE_FLAGS are worth: 1080p as
// a whole, on one core, encoded and decoded to BGR again. usual-encode and usual-decode are the times
// of what was chosen, which takes turns with each other choice. The dB compare with what was
// encoded, luma alone and all of RGB.
func BenchmarkWorth(b *testing.B) {
	for _, from := range []struct {
		name     string
		pictures []*BGR
	}{{"clip", clipPictures(b)}, {"card", cardPictures(b)}} {
		for _, quality := range []int{50, 75, 80, 90} {
			for _, c := range []choice{
				{name: "420"},
				{name: "420-fastDCT", encode: func(flags *int32) { *flags &^= tjAccurateDCT }},
				{name: "420-fastIDCT", decode: func(flags *int32) { *flags = *flags&^tjAccurateDCT | tjFastDCT }},
				{name: "420-ownHuffman", ownHuffman: true},
				{name: "420-smoothUpsampling", decode: func(flags *int32) { *flags &^= tjFastUpsample }},
				{name: "422", sub: Sub422},
				{name: "444", sub: Sub444},
			} {
				b.Run(fmt.Sprintf("%s/q=%d/%s", from.name, quality, c.name), func(b *testing.B) { c.run(b, quality, from.pictures) })
			}
		}
	}
}

// choice is one way to write and read JPEGs.
type choice struct {
	name           string
	sub            Subsampling
	ownHuffman     bool               // tables made for each picture
	encode, decode func(flags *int32) // change the flags of TurboJPEG's calls
}

func (c choice) run(b *testing.B, quality int, pictures []*BGR) {
	e, d := newEncoder(b, EncoderConfig{Quality: quality, Subsampling: c.sub}), newDecoder(b)
	usualE, usualD := newEncoder(b, EncoderConfig{Quality: quality}), newDecoder(b)
	if c.encode != nil {
		c.encode((*int32)(&e.native.c.flags))
	}
	if c.decode != nil {
		c.decode((*int32)(&d.native.c.flags))
	}
	var jpeg, usual []byte
	out := ReuseBGR(nil, pictures[0].Rect.Dx(), pictures[0].Rect.Dy())
	n := 0 // the picture whose turn it is
	encode := func() (err error) {
		if c.ownHuffman { // libjpeg-turbo asks for it at every call
			os.Setenv("TJ_OPTIMIZE", "1")
			defer os.Unsetenv("TJ_OPTIMIZE")
		}
		jpeg, err = e.Append(jpeg[:0], pictures[n])
		return err
	}
	decode := func() error { return d.DecodeBGR(out, jpeg) }

	var size, luma, all float64
	for n = range pictures {
		if err := encode(); err != nil {
			b.Fatal(err)
		}
		if err := decode(); err != nil {
			b.Fatal(err)
		}
		y, rgb := errorsOf(pictures[n], out)
		size, luma, all = size+float64(len(jpeg)), luma+y, all+rgb
	}
	inTurns(b, []turn{
		{"encode", encode},
		{"usual-encode", func() (err error) { usual, err = usualE.Append(usual[:0], pictures[n]); return err }},
		{"decode", decode},
		{"usual-decode", func() error {
			n = (n + 1) % len(pictures) // the last of a turn
			return usualD.DecodeBGR(out, usual)
		}},
	})
	count := float64(len(pictures))
	b.ReportMetric(size/count, "B/frame")
	b.ReportMetric(toDB(luma/count), "luma-dB")
	b.ReportMetric(toDB(all/count), "RGB-dB")
}

// cardPictures are the first of the test card at 1080p: hard edges and text. They are as the program
// draws them, 4:2:0, but for JPEG at quality 100.
func cardPictures(t testing.TB) []*BGR {
	file := filepath.Join(t.TempDir(), "card.mkv")
	if out, err := exec.Command("go", "run", "-tags", "nocv", "..", "demo", "--display", "none", "--record", file,
		"--size", "1920x1080", "--quality", "100", "--frames", "3").CombinedOutput(); err != nil {
		t.Fatalf("demo: %v: %s", err, out)
	}
	return rawPictures(t, exec.Command(testutil.Need(t, "ffmpeg"), "-v", "error", "-nostdin", "-i", file,
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"))
}

// errorsOf are the mean squares of the differences of luma (BT.601, not rounded) and of RGB.
func errorsOf(a, b *BGR) (luma, rgb float64) {
	for i := 0; i < len(a.Pix); i += 3 {
		blue, green, red := float64(a.Pix[i])-float64(b.Pix[i]), float64(a.Pix[i+1])-float64(b.Pix[i+1]), float64(a.Pix[i+2])-float64(b.Pix[i+2])
		luma += math.Pow(0.299*red+0.587*green+0.114*blue, 2)
		rgb += blue*blue + green*green + red*red
	}
	n := float64(len(a.Pix))
	return 3 * luma / n, rgb / n
}
