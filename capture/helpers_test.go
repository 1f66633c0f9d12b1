package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// plain is a picture of one colour.
func plain(w, h int, ratio image.YCbCrSubsampleRatio, luma, cb, cr byte) *image.YCbCr {
	p := codec.ReuseYCbCr(nil, w, h, ratio)
	for b, v := range map[*[]byte]byte{&p.Y: luma, &p.Cb: cb, &p.Cr: cr} {
		for i := range *b {
			(*b)[i] = v
		}
	}
	return p
}

// smallMP4 is the clip that comes with gocv: 166 pictures of 560x320 at 30 a second.
func smallMP4(t testing.TB) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gocv.io/x/gocv").Output()
	if err != nil {
		t.Fatalf("finding gocv's images: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "images", "small.mp4")
}

func encode(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	enc, err := codec.NewEncoder(codec.EncoderConfig{Quality: quality})
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	jpeg, err := enc.Append(nil, img)
	if err != nil {
		t.Fatal(err)
	}
	return jpeg
}

// greys are n JPEGs that differ in their luma.
func greys(t testing.TB, n, w, h int) [][]byte {
	t.Helper()
	var all [][]byte
	for i := range n {
		all = append(all, encode(t, plain(w, h, image.YCbCrSubsampleRatio420, byte(40+10*i), 128, 128), 80))
	}
	return all
}

func decode(t testing.TB, jpeg []byte) *image.YCbCr {
	t.Helper()
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	img := codec.ReuseYCbCr(nil, h.Width, h.Height, h.Ratio)
	if err := dec.DecodeYCbCr(img, jpeg); err != nil {
		t.Fatal(err)
	}
	return img
}

// colour is the pixel in the middle.
func colour(img *image.YCbCr) (luma, cb, cr byte) {
	c := img.YCbCrAt(img.Rect.Dx()/2, img.Rect.Dy()/2)
	return c.Y, c.Cb, c.Cr
}

func near(a, b byte, tolerance int) bool { return max(int(a)-int(b), int(b)-int(a)) <= tolerance }

func mustOpen(t testing.TB, cfg Config) stream.Source {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// closing lets a test close a source before its end, when others are.
type closing struct {
	stream.Source
	Reporter
	once sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { c.Source.Close() })
	return nil
}

func closedOnce(t testing.TB, s stream.Source) stream.Source {
	c := &closing{Source: s, Reporter: s.(Reporter)}
	t.Cleanup(func() { c.Close() })
	return c
}

// balanced checks the documented sum for a source of which n frames were returned and
// none is on its way.
func balanced(t *testing.T, s stream.Source, n int) {
	t.Helper()
	if st := stats(s); st.Pictures+st.Placeholder != uint64(n)+st.Thinned+st.Replaced+st.Late+st.Damaged {
		t.Errorf("%d frames do not balance with %+v", n, st)
	}
}

func stats(s stream.Source) Stats { return s.(Reporter).Stats() }
func info(s stream.Source) Info   { return s.(Reporter).Info() }

// shot is a frame that has been released.
type shot struct {
	jpeg     []byte
	id       uint32
	captured time.Time
	size     image.Point
}

func nextShot(ctx context.Context, s stream.Source) (shot, error) {
	f, err := s.Next(ctx)
	if err != nil {
		return shot{}, err
	}
	defer f.Release()
	return shot{bytes.Clone(f.JPEG), f.ID, f.Captured, image.Pt(f.Width, f.Height)}, nil
}

// take returns the next n frames.
func take(t testing.TB, s stream.Source, n int) []shot {
	t.Helper()
	var all []shot
	for i := range n {
		f, err := nextShot(t.Context(), s)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		all = append(all, f)
	}
	return all
}

// takeAll returns the frames up to the end, and the error there unless it is io.EOF.
func takeAll(t testing.TB, s stream.Source) ([]shot, error) {
	t.Helper()
	var all []shot
	for len(all) < 10000 {
		f, err := nextShot(t.Context(), s)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, f)
	}
	t.Fatal("the source does not end")
	return nil, nil
}

func ids(all []shot) string {
	var ids []uint32
	for _, s := range all {
		ids = append(ids, s.id)
	}
	return fmt.Sprint(ids)
}

func writeFile(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// asFile is data as an open regular file.
func asFile(t testing.TB, data []byte) *os.File {
	t.Helper()
	f, err := os.Open(writeFile(t, t.TempDir(), "input", data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// logBuffer is a log to look at.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
