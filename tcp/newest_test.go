package tcp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// write writes one frame.
func write(t testing.TB, s *Sender, jpeg []byte) {
	t.Helper()
	f := newFrame(jpeg)
	defer f.Release()
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// Who comes late is given the newest frame at once, not the one after it.
func TestNewcomerGetsTheNewestFrame(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	write(t, s, randomBytes(500))
	jpeg := randomBytes(1000)
	write(t, s, jpeg)
	see(t, newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()}), jpeg)
	if st := s.Stats(); st.Unsent != 1 || st.Frames != 1 {
		t.Errorf("got %+v", st)
	}
}

// The last frame before Close arrives.
func TestLastFrameArrives(t *testing.T) {
	for i := range 20 {
		r := newReceiver(t, ReceiverConfig{Listen: loopback})
		s := newSender(t, SenderConfig{To: []string{r.LocalAddr().String()}})
		awaitViewers(t, s, 1)
		jpeg := randomBytes(1000 + i)
		write(t, s, jpeg)
		s.Close()
		see(t, r, jpeg)
		r.Close()
	}
}

// What a sender sent while our connection was broken is counted as left out, and what
// another sender numbers is not.
func TestGapOfAReconnectIsCounted(t *testing.T) {
	at, accept := listenWire(t)
	r := newReceiver(t, ReceiverConfig{From: at})
	jpeg := randomBytes(1000)
	for _, c := range []struct {
		started int64
		id      uint32
		leftOut uint64
	}{{1000, 10, 0}, {1000, 15, 4}, {2000, 90, 4}} {
		w := accept()
		w.send(message(&fragment.Announce{Common: w.common(), Started: c.started}))
		w.read(fragment.TypeHello)
		w.send(w.frameMessage(c.id, jpeg))
		see(t, r, jpeg)
		if st := r.Stats(); st.LeftOut != c.leftOut {
			t.Errorf("after frame %d: %d left out, want %d", c.id, st.LeftOut, c.leftOut)
		}
		w.Close()
	}
}

// A sender that sends bytes for ever and makes no frame of them does not keep the others
// out, and those that send nothing do not keep their places.
func TestSendersWithoutFramesAreDisplaced(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	var wires []*wire
	for range maxSenders {
		w := dialWire(t, r.LocalAddr())
		w.announce()
		w.read(fragment.TypeHello)
		wires = append(wires, w)
	}
	first := randomBytes(2000)
	wires[0].send(wires[0].frameMessage(1, first))
	see(t, r, first)
	trickle := wires[0].frameMessage(2, randomBytes(1<<20))
	await(t, "a place for another sender", func() bool {
		wires[0].Write(trickle[:1]) // a part of a frame, again and again
		trickle = trickle[1:]
		for _, w := range wires[1:] { // they stay talkative
			w.Write(message(&fragment.Announce{Common: w.common()}))
		}
		time.Sleep(100 * time.Millisecond)
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.idle() != nil
	})
	jpeg := randomBytes(3000)
	s := newSender(t, SenderConfig{To: []string{r.LocalAddr().String()}})
	flow(t, s, jpeg)
	see(t, r, jpeg)
}

// A flood of pings ends its connection.
func TestPingFloodIsCutOff(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	w := dialWire(t, s.LocalAddrs()[0])
	w.hello()
	awaitViewers(t, s, 1)
	for range 4 * maxPings {
		if _, err := w.Write(message(&fragment.Ping{Common: w.common()})); err != nil {
			break // it is closed already
		}
	}
	w.closed()
}
