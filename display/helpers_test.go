package display

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// patience bounds waiting for what must happen, however slow the machine.
const patience = 60 * time.Second

// waitFor polls until done.
func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// plainJPEG is a picture of one colour.
func plainJPEG(t testing.TB, w, h int, c color.Color) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return encode(t, m)
}

func encode(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// frames makes frames as a receiver does, from a pool: with the race detector, one
// that a display keeps without holding it turns to rubbish.
type frames struct {
	pool stream.Pool
	id   uint32
}

func (s *frames) next(jpeg []byte) *stream.Frame {
	f := s.pool.Get(len(jpeg))
	f.JPEG = append(f.JPEG, jpeg...)
	f.ID, f.Captured = s.id, time.Now()
	s.id++
	return f
}

// write gives sink a frame and takes it back, as stream.Copy does.
func (s *frames) write(t testing.TB, sink stream.Sink, jpeg []byte) error {
	t.Helper()
	f := s.next(jpeg)
	defer f.Release()
	return sink.Write(t.Context(), f)
}
