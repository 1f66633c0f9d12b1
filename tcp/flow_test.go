package tcp

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// pair connects a Sender and a Receiver, of which the one or the other dials.
func pair(t testing.TB, senderDials bool) (*Sender, *Receiver) {
	t.Helper()
	var s *Sender
	var r *Receiver
	if senderDials {
		r = newReceiver(t, ReceiverConfig{Listen: loopback})
		s = newSender(t, SenderConfig{To: []string{r.LocalAddr().String()}, DSCP: 34})
	} else {
		s = newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, DSCP: 34})
		r = newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()})
	}
	awaitViewers(t, s, 1)
	return s, r
}

func awaitViewers(t testing.TB, s *Sender, n int) {
	t.Helper()
	await(t, "the viewers", func() bool { return len(s.Stats().Viewers) == n })
}

func TestFramesArriveWhole(t *testing.T) {
	for name, senderDials := range map[string]bool{"sender dials": true, "viewer dials": false} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			s, r := pair(t, senderDials)
			for _, size := range []int{1, 1408, 120_000, 300_000, 5_000_000, fragment.MaxFrameBytes} {
				want := newFrame(randomBytes(size))
				if err := s.Write(t.Context(), want); err != nil {
					t.Fatal(err)
				}
				got := next(t, r)
				if !bytes.Equal(got.JPEG, want.JPEG) {
					t.Errorf("a frame of %d bytes came as one of %d", size, len(got.JPEG))
				}
				// Rounding is 1 µs at each end, and the wall clock may be slewed meanwhile, by 500 ppm (adjtimex(2)).
				if d := got.Captured.Sub(want.Captured); d.Abs() > 2*time.Microsecond+time.Since(began)/2000 {
					t.Errorf("captured moved by %v", d)
				}
				got.Release()
			}
			await(t, "the sender's count", func() bool { return s.Stats().Delivered == 6 })
			if st := s.Stats(); st.Frames != 6 || st.Skipped != 0 || st.Bytes < 5_000_000 || len(st.Viewers) != 1 || st.Viewers[0].Frames != 6 {
				t.Errorf("sender's figures: %+v", st)
			}
			if st := r.Stats(); st.Frames != 6 || st.LeftOut != 0 || st.Connects != 1 || st.From == "" || st.Bytes < 5_000_000 {
				t.Errorf("receiver's figures: %+v", st)
			}
		})
	}
}

func TestSenderListensOnEveryAddress(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}})
	port := s.LocalAddrs()[0].Port()
	var viewers []*Receiver
	for _, host := range []string{"127.0.0.1", "::1"} {
		viewers = append(viewers, newReceiver(t, ReceiverConfig{From: netip.AddrPortFrom(netip.MustParseAddr(host), port).String()}))
	}
	awaitViewers(t, s, 2)
	jpeg := randomBytes(1000)
	flow(t, s, jpeg)
	for _, r := range viewers {
		see(t, r, jpeg)
	}
}

func TestFramesWithoutViewersAreCounted(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	f := newFrame([]byte("jpeg"))
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	f.Release()
	if st := s.Stats(); st.Unsent != 1 || st.Frames != 0 {
		t.Errorf("got %+v", st)
	}
}

func TestTooLargeFramesAreSkipped(t *testing.T) {
	s, _ := pair(t, true)
	if err := s.Write(t.Context(), newFrame(make([]byte, fragment.MaxFrameBytes+1))); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.TooLarge != 1 || st.Frames != 0 || st.Unsent != 0 {
		t.Errorf("got %+v", st)
	}
	if err := s.Write(t.Context(), newFrame(nil)); err == nil {
		t.Error("an empty frame was taken")
	}
}

// A viewer that takes small frames only gets those.
func TestViewersLimitIsKept(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	r := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String(), MaxFrame: 1000})
	awaitViewers(t, s, 1)
	for _, size := range []int{1001, 1000} {
		if err := s.Write(t.Context(), newFrame(make([]byte, size))); err != nil {
			t.Fatal(err)
		}
		if size == 1001 {
			await(t, "the frame to be skipped", func() bool { return s.Stats().Skipped == 1 })
		}
	}
	if f := next(t, r); len(f.JPEG) != 1000 {
		t.Errorf("got a frame of %d bytes", len(f.JPEG))
	}
	if st := r.Stats(); st.TooLarge != 0 || st.LeftOut != 0 {
		t.Errorf("got %+v", st)
	}
}

// A frame is held for nobody once it has been replaced and sent.
func TestFramesAreGivenBack(t *testing.T) {
	s, r := pair(t, false)
	for range 3 {
		f := newFrame(randomBytes(100_000))
		if err := s.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		next(t, r).Release()
		f.Release()
	}
	s.Close()
	if s.latest.frame != nil {
		t.Error("the last frame is still held")
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	_, r := pair(t, true)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	if _, err := r.Next(ctx); err != io.ErrNoProgress {
		t.Errorf("got %v, want the context's cause", err)
	}
	r.Close()
	if _, err := r.Next(t.Context()); err != io.EOF {
		t.Errorf("after Close: got %v, want io.EOF", err)
	}
}

func TestClockOfTheSenderBecomesKnown(t *testing.T) {
	s, r := pair(t, false)
	if err := s.Write(t.Context(), newFrame([]byte("jpeg"))); err != nil {
		t.Fatal(err)
	}
	next(t, r).Release()
	await(t, "an answered ping", func() bool { _, ok := r.Clock(); return ok })
	if o, _ := r.Clock(); o.Ahead.Abs() > o.Bound+time.Millisecond {
		t.Errorf("the same machine's clock is ahead by %v ± %v", o.Ahead, o.Bound)
	}
}

// A source that gives no frames for long loses no viewer.
func TestPausedSourceKeepsItsViewer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 4 s")
	}
	s, r := pair(t, true)
	time.Sleep(silence + time.Second)
	jpeg := randomBytes(10)
	if err := s.Write(t.Context(), newFrame(jpeg)); err != nil {
		t.Fatal(err)
	}
	see(t, r, jpeg)
	if s, r := s.Stats(), r.Stats(); s.Connects != 1 || r.Connects != 1 || s.Dropped+r.Dropped != 0 {
		t.Errorf("the connection was not kept: %+v, %+v", s, r)
	}
}
