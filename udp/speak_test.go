package udp

import (
	"context"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

func hear(t *testing.T, cfg ReceiverConfig) *Receiver {
	t.Helper()
	r, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func speak(t *testing.T, cfg SenderConfig) *Sender {
	t.Helper()
	s, err := NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s *Sender, f *stream.Frame) {
	t.Helper()
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// next is the next frame of r, which must come.
func next(t *testing.T, r *Receiver) uint32 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("%v: receiver %+v", err, r.Stats())
	}
	defer f.Release()
	return f.ID
}

// sendUntil sends small frames until done.
func sendUntil(t *testing.T, s *Sender, what string, done func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		write(t, s, frameOf(2))
		return done()
	})
}
