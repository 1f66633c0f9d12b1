package udp

import (
	"net/netip"
	"testing"
	"time"
)

// A log that takes nothing costs no frame, no viewer, and no more than a moment at the end.
func TestNobodyWaitsForTheLog(t *testing.T) {
	t.Parallel()
	log := newStuck(t)
	// Who waits for it is late, and has this test fail at its end.
	defer time.AfterFunc(30*time.Second, log.release).Stop()
	cfg := SenderConfig{Listen: []netip.AddrPort{ap("127.0.0.1:0")}, To: []netip.AddrPort{ap("127.0.0.1:9")}, Log: log.logger()} // nobody listens at the latter
	s, err := NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	viewers := make([]*Receiver, 3)
	for i := range viewers { // each time the house has something to say, and the viewer that it receives
		r := watch(t, s.LocalAddrs()[0], log.logger())
		viewers[i] = r
		within(t, "frames", func() bool {
			s.Write(t.Context(), frameOf(2))
			return r.Stats().Fragments.Complete > 2
		})
	}
	hellos := viewers[0].Stats().Asking.Hellos
	within(t, "the next Hello", func() bool {
		s.Write(t.Context(), frameOf(2))
		return viewers[0].Stats().Asking.Hellos > hellos
	})
	s.Close()
	for _, r := range viewers {
		r.Close()
	}
	if log.String() != "" {
		t.Errorf("it was waited for, until it had written %q", log.String())
	}
}
