//go:build linux

package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/internal/testutil"
)

// Pictures of every kind of chroma, of a size that is no multiple of anything, are sent as a whole
// and in strips. Four decoders that know nothing of strips read what the viewers got, without a
// warning, and each gives the same pixels for both. (The program sends no grey JPEGs: those are
// the encoder's.)
func TestSlicesAreOrdinaryJPEG(t *testing.T) {
	t.Parallel()
	const width, height, strips = 321, 241, 8
	pictures := map[string][2][]byte{"grey": {greyJPEG(t, width, height, 1), greyJPEG(t, width, height, strips)}}
	sent := make(map[string][2]*program)
	dir := t.TempDir()
	images := func(kind string, i int) string { return filepath.Join(dir, kind, fmt.Sprint(i)) }
	for kind, format := range map[string]string{"420": "yuvj420p", "422": "yuvj422p", "444": "yuvj444p"} {
		raw := ffmpeg(t, "-i", clipPath(t), "-vf", fmt.Sprintf("select=eq(n\\,80),scale=%d:%d,loop=20:1,setpts=N/30/TB", width, height), "-r", "30",
			"-pix_fmt", format, "-strict", "-1", "-f", "yuv4mpegpipe", "-")
		var viewers [2]*program
		for i, n := range []int{1, strips} {
			viewers[i] = view(t, "--display", "images:"+images(kind, i), "--frames", "1")
			startWith(t, options{stdin: bytes.NewReader(raw)}, "send", "--to", viewers[i].listening(), "--source", "-", "--slices", fmt.Sprint(n), "--stats", "json")
		}
		sent[kind] = viewers
	}
	for kind, viewers := range sent {
		var got [2][]byte
		for i, v := range viewers {
			v.finish()
			var err error
			if got[i], err = os.ReadFile(filepath.Join(images(kind, i), "frame-00000001.jpg")); err != nil {
				t.Fatal(err)
			}
		}
		pictures[kind] = got
	}
	chromium := browse(t, "about:blank", 400, 300)
	decoders := map[string]func(*testing.T, []byte) []byte{
		"djpeg":      djpegDecodes,
		"ffmpeg":     ffmpegDecodes,
		"Chromium":   chromium.decodes,
		"image/jpeg": goDecodes,
	}
	for kind, p := range pictures {
		whole, sliced := p[0], p[1]
		var s codec.Strips
		if err := s.Find(sliced); err != nil || s.Len() != strips {
			t.Fatalf("%s: %d strips, want %d; %v", kind, s.Len(), strips, err)
		}
		h, err := codec.ParseHeader(whole)
		if err != nil || h.RestartInterval != 0 || h.Width != width || h.Height != height || h.Gray != (kind == "grey") || !h.Gray && h.Ratio.String() != "YCbCrSubsampleRatio"+kind {
			t.Errorf("%s as a whole is %+v, %v", kind, h, err)
		}
		want := djpegDecodes(t, whole)
		for name, decode := range decoders {
			a, b := decode(t, whole), decode(t, sliced)
			if len(a) != 3*width*height || !bytes.Equal(a, b) {
				t.Errorf("%s, %s: %d bytes of pixels, and %d in strips, or they differ", name, kind, len(a), len(b))
				continue
			}
			db := psnr(b, want)
			t.Logf("%s, %s: %.1f dB", name, kind, db)
			if db < 35 { // decoders differ in how they spread chroma over pixels
				t.Errorf("%s, %s: %.1f dB to what djpeg gives", name, kind, db)
			}
		}
	}
}

// greyJPEG is a picture of one component, in so many strips.
func greyJPEG(t *testing.T, width, height, slices int) []byte {
	t.Helper()
	e, err := codec.NewEncoder(codec.EncoderConfig{Slices: slices})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pix := ffmpeg(t, "-f", "lavfi", "-i", fmt.Sprintf("testsrc=s=%dx%d", width, height), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	data, err := e.Append(nil, &image.Gray{Pix: pix, Stride: width, Rect: image.Rect(0, 0, width, height)})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// djpegDecodes is the pixels that libjpeg-turbo's djpeg gives, for which a warning is an error.
func djpegDecodes(t *testing.T, jpeg []byte) []byte {
	t.Helper()
	ppm := silent(t, jpeg, testutil.Need(t, "djpeg"), "-strict", "-rgb", "-pnm")
	var width, height int
	if _, err := fmt.Sscanf(string(ppm[:min(len(ppm), 40)]), "P6\n%d %d\n255\n", &width, &height); err != nil || len(ppm) < 3*width*height {
		t.Fatalf("djpeg: no PPM in %d bytes, %v", len(ppm), err)
	}
	return ppm[len(ppm)-3*width*height:]
}

// ffmpegDecodes is the pixels of the planes that ffmpeg gives, as strict as it can be.
func ffmpegDecodes(t *testing.T, jpeg []byte) []byte {
	t.Helper()
	raw := silent(t, jpeg, testutil.Need(t, "ffmpeg"), "-v", "warning", "-xerror", "-err_detect", "crccheck+bitstream+buffer+explode",
		"-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-")
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	rect := image.Rect(0, 0, h.Width, h.Height)
	if h.Gray {
		return rgb(&image.Gray{Pix: raw, Stride: h.Width, Rect: rect})
	}
	m := image.NewYCbCr(rect, h.Ratio)
	if want := len(m.Y) + len(m.Cb) + len(m.Cr); len(raw) != want {
		t.Fatalf("ffmpeg: %d bytes of planes, want %d", len(raw), want)
	}
	copy(m.Cr, raw[copy(m.Y, raw)+copy(m.Cb, raw[len(m.Y):]):])
	return rgb(m)
}

// silent is what a program makes of a JPEG without saying a word.
func silent(t *testing.T, jpeg []byte, path string, args ...string) []byte {
	t.Helper()
	cmd := brief(t, path, args...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(jpeg), &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Errorf("%s: %v: %s", filepath.Base(path), err, &said)
	}
	return out
}

// goDecodes is the pixels that image/jpeg gives.
func goDecodes(t *testing.T, data []byte) []byte {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("image/jpeg: %v", err)
	}
	return rgb(m)
}

func rgb(m image.Image) []byte {
	rgba := image.NewRGBA(m.Bounds())
	draw.Draw(rgba, rgba.Rect, m, image.Point{}, draw.Src)
	return withoutAlpha(rgba.Pix)
}

func withoutAlpha(rgba []byte) (rgb []byte) {
	for ; len(rgba) >= 4; rgba = rgba[4:] {
		rgb = append(rgb, rgba[:3]...)
	}
	return rgb
}

// decodes is the pixels that the page gets of a JPEG. (The browser keeps its warnings to itself.)
func (b *browser) decodes(t *testing.T, jpeg []byte) []byte {
	t.Helper()
	var none any
	b.eval(fmt.Sprintf(`(() => {
		window.pixels = null;
		const img = new Image();
		img.src = "data:image/jpeg;base64,%s";
		img.decode().then(() => {
			const context = new OffscreenCanvas(img.naturalWidth, img.naturalHeight).getContext("2d");
			context.drawImage(img, 0, 0);
			const { data } = context.getImageData(0, 0, img.naturalWidth, img.naturalHeight);
			let text = "";
			for (let i = 0; i < data.length; i += 4096) text += String.fromCharCode(...data.subarray(i, i + 4096));
			window.pixels = btoa(text);
		}, error => window.pixels = "!" + error);
		return null;
	})()`, base64.StdEncoding.EncodeToString(jpeg)), &none)
	b.until("window.pixels !== null")
	var text string
	b.eval("window.pixels", &text)
	rgba, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Errorf("Chromium: %v: %.80s", err, text)
	}
	return withoutAlpha(rgba)
}
