package display

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/stream"
)

// gradient is a picture in which every pixel differs from its neighbours.
func gradient(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{R: uint8(255 * x / w), G: uint8(255 * y / h), B: uint8(255 * (x + y) / (w + h)), A: 255})
		}
	}
	return m
}

// sample is gradient as a JPEG of the given ratio: not every build can write all of
// them, so libjpeg-turbo did, at quality 95, and they lie in testdata.
func sample(t testing.TB, size, ratio string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + size + "-" + ratio + ".jpg")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodeAs decodes a JPEG with the codec.
func decodeAs(t testing.TB, jpeg []byte) *image.YCbCr {
	t.Helper()
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	m := codec.ReuseYCbCr(nil, h.Width, h.Height, h.Ratio)
	d, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.DecodeYCbCr(m, jpeg); err != nil {
		t.Fatal(err)
	}
	return m
}

// pour writes jpegs to a stdout display, and returns what came out and its figures.
func pour(t testing.TB, format string, jpegs ...[]byte) ([]byte, Stats) {
	t.Helper()
	var out bytes.Buffer
	s := openTest(t, Config{Kind: "stdout", Format: format, Stdout: &out, FPS: 29.97})
	var fs frames
	for i, j := range jpegs {
		if err := fs.write(t, s, j); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	stats := s.(Reporter).Stats()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return out.Bytes(), stats
}

func TestStdoutMJPEG(t *testing.T) {
	a, b := plainJPEG(t, 32, 16, color.White), plainJPEG(t, 16, 16, color.Black)
	got, stats := pour(t, "mjpeg", a, b, a)
	if want := bytes.Join([][]byte{a, b, a}, nil); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want the %d of the JPEGs", len(got), len(want))
	}
	if stats != (Stats{Shown: 3}) {
		t.Errorf("got %+v", stats)
	}
}

// parseY4M splits a stream into its header and the frames' bytes.
func parseY4M(t testing.TB, b []byte, frame int) (header string, pictures [][]byte) {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(b))
	header, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF && line == "" {
			return strings.TrimSuffix(header, "\n"), pictures
		}
		p := make([]byte, frame)
		if _, err := io.ReadFull(r, p); err != nil || line != "FRAME\n" {
			t.Fatalf("frame %d: line %q, %v", len(pictures), line, err)
		}
		pictures = append(pictures, p)
	}
}

func planes(m *image.YCbCr) []byte { return bytes.Join([][]byte{m.Y, m.Cb, m.Cr}, nil) }

// Every ratio and odd sizes: the planes are those that the codec decodes, and a
// reader who was not written by us, ffmpeg, finds the same.
func TestStdoutY4M(t *testing.T) {
	for ratio, name := range map[string]string{"420": "C420jpeg", "422": "C422", "444": "C444", "411": "C411", "440": "C444"} {
		for _, size := range []string{"64x48", "33x19"} {
			t.Run(ratio+" "+size, func(t *testing.T) {
				a := sample(t, size, ratio)
				m := decodeAs(t, a)
				if ratio == "440" { // which Y4M does not know
					full := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio444)
					toRatio(full, m)
					m = full
				}
				want := planes(m)
				out, stats := pour(t, "y4m", a, []byte("rubbish"), a, a[:len(a)/2])
				if stats != (Stats{Shown: 2, Undecodable: 2}) {
					t.Errorf("got %+v, want 2 shown and 2 undecodable", stats)
				}
				header, got := parseY4M(t, out, len(want))
				if w := fmt.Sprintf("YUV4MPEG2 W%d H%d F30000:1001 Ip A1:1 %s XCOLORRANGE=FULL", m.Rect.Dx(), m.Rect.Dy(), name); header != w {
					t.Errorf("header %q, want %q", header, w)
				}
				if len(got) != 2 || !bytes.Equal(got[0], want) || !bytes.Equal(got[1], want) {
					t.Errorf("%d pictures, or other planes than the decoder's", len(got))
				}

				cmd := exec.Command(testutil.Need(t, "ffmpeg"), "-loglevel", "error", "-f", "yuv4mpegpipe", "-i", "-", "-f", "rawvideo", "-")
				cmd.Stdin = bytes.NewReader(out)
				read, err := cmd.Output()
				if err != nil || !bytes.Equal(read, append(bytes.Clone(want), want...)) {
					t.Errorf("ffmpeg read %d bytes of other pictures, %v", len(read), err)
				}
			})
		}
	}
}

func TestStdoutBGR(t *testing.T) {
	a := sample(t, "33x19", "420")
	want := codec.NewBGR(image.Rect(0, 0, 33, 19))
	d, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.DecodeBGR(want, a); err != nil {
		t.Fatal(err)
	}
	got, stats := pour(t, "bgr24", a, nil, a)
	if !bytes.Equal(got, append(bytes.Clone(want.Pix), want.Pix...)) {
		t.Errorf("%d bytes, or others than the decoder's", len(got))
	}
	if stats != (Stats{Shown: 2, Undecodable: 1}) {
		t.Errorf("got %+v", stats)
	}
}

// A sender that comes back with another size, or another ratio, does not end the
// stream: its picture is brought to the first one's.
func TestStdoutSizeChanges(t *testing.T) {
	first, larger := gradient(64, 48), gradient(160, 120)
	for _, format := range []string{"y4m", "bgr24"} {
		t.Run(format, func(t *testing.T) {
			a, b, grey := encode(t, first), encode(t, larger), encode(t, toGray(first))
			out, stats := pour(t, format, a, b, grey, a)
			if stats != (Stats{Shown: 4, Scaled: 1}) {
				t.Errorf("got %+v, want 4 shown, 1 of them scaled", stats)
			}
			n := 64 * 48 * 3
			pictures := [][]byte{}
			if format == "y4m" {
				_, pictures = parseY4M(t, out, 64*48*3/2)
				n = 64 * 48 // compared is luma
			} else {
				for len(out) >= n {
					pictures, out = append(pictures, out[:n]), out[n:]
				}
			}
			if len(pictures) != 4 || !bytes.Equal(pictures[0], pictures[3]) {
				t.Fatalf("%d pictures, or the last is not like the first", len(pictures))
			}
			if d := meanDifference(pictures[0][:n], pictures[1][:n]); d > 4 {
				t.Errorf("the scaled picture is off by %.1f levels on average", d)
			}
		})
	}
}

// Ratios that cannot be decoded in place take the long way, to the same picture.
func TestStdoutRatioChanges(t *testing.T) {
	a, b := sample(t, "64x48", "420"), sample(t, "64x48", "444")
	out, stats := pour(t, "y4m", a, b)
	if stats != (Stats{Shown: 2}) {
		t.Errorf("got %+v", stats)
	}
	_, got := parseY4M(t, out, 64*48*3/2)
	if d := meanDifference(got[0], got[1]); len(got) != 2 || d > 4 {
		t.Errorf("%d pictures, off by %.1f levels on average", len(got), d)
	}
	out, _ = pour(t, "y4m", b, a)
	_, got = parseY4M(t, out, 64*48*3)
	if d := meanDifference(got[0], got[1]); len(got) != 2 || d > 4 {
		t.Errorf("%d pictures, off by %.1f levels on average", len(got), d)
	}
}

func toGray(m image.Image) *image.Gray {
	g := image.NewGray(m.Bounds())
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			g.Set(x, y, m.At(x, y))
		}
	}
	return g
}

func meanDifference(a, b []byte) float64 {
	sum := 0
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

func TestFraction(t *testing.T) {
	for fps, want := range map[float64]string{
		30: "30:1", 25: "25:1", 29.97: "30000:1001", 23.976: "24000:1001", 23.98: "24000:1001", 59.94: "60000:1001",
		12.5: "12500:1000", 0.5: "500:1000", 0.0001: "1:1000", 1000: "1000:1",
	} {
		num, den := fraction(fps)
		if got := fmt.Sprintf("%d:%d", num, den); got != want {
			t.Errorf("%v: got %s, want %s", fps, got, want)
		}
	}
}

// The first picture is torn, and its header speaks of another size: it must not
// decide the size of the rest.
func TestStdoutTornFirst(t *testing.T) {
	torn, whole := encode(t, gradient(128, 96)), encode(t, gradient(64, 48))
	out, stats := pour(t, "y4m", torn[:len(torn)*2/3], whole)
	if !strings.HasPrefix(string(out), "YUV4MPEG2 W64 H48 ") || stats != (Stats{Shown: 1, Undecodable: 1}) {
		t.Errorf("got %.40q, %+v", out, stats)
	}
}

func TestStdoutReaderGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := openTest(t, Config{Kind: "stdout", Stdout: w})
	r.Close()
	var fs frames
	if err := fs.write(t, s, []byte("x")); err != stream.ErrStop {
		t.Errorf("got %v, want ErrStop", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// On descriptor 1 a broken pipe would kill the process by SIGPIPE.
func TestStdoutReaderLeaves(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 10000)); err != nil {
		t.Error(err)
	}
	out.Close()
	if err := cmd.Wait(); err != nil || said.Len() > 0 {
		t.Errorf("ended with %v, said %q", err, said.Bytes())
	}
}

const childEnv = "FRAMEGRAM_TEST_CHILD"

// childMain writes frames to standard output until its reader leaves.
func childMain() int {
	s, err := Open(Config{Kind: "stdout", Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	for f := stream.NewFrame(make([]byte, 5000)); err == nil; {
		err = s.Write(context.Background(), f)
	}
	if err != stream.ErrStop {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A reader that stops reading does not hold up the end, and what it still has to
// read is not overwritten meanwhile.
func TestStdoutReaderStuck(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := openTest(t, Config{Kind: "stdout", Stdout: w})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user has had enough")
	cancel(why)
	var fs frames
	big := bytes.Repeat([]byte("frame"), 1<<20) // more than any pipe holds
	f := fs.next(big)
	if err := s.Write(ctx, f); err != why {
		t.Errorf("got %v, want the cause", err)
	}
	f.Release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	got := make([]byte, len(big))
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, big) {
		t.Errorf("what was being written changed, %v", err)
	}
	r.Close()
}

// A reader that is only slow gets the last frame whole.
func TestStdoutEndsWhole(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := openTest(t, Config{Kind: "stdout", Stdout: w})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	big := bytes.Repeat([]byte("frame"), 1<<18)
	read := make(chan int)
	go func() {
		b, _ := io.ReadAll(r)
		read <- len(b)
	}()
	f := stream.NewFrame(big)
	if err := s.Write(ctx, f); err != nil {
		t.Error(err)
	}
	s.Close()
	w.Close()
	if n := <-read; n != len(big) {
		t.Errorf("%d bytes arrived of %d", n, len(big))
	}
}

func BenchmarkStdout(b *testing.B) {
	jpeg := encode(b, gradient(1280, 720))
	for _, format := range []string{"mjpeg", "y4m", "bgr24"} {
		b.Run(format, func(b *testing.B) {
			s := openTest(b, Config{Kind: "stdout", Format: format, Stdout: io.Discard})
			defer s.Close()
			f := stream.NewFrame(jpeg)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
