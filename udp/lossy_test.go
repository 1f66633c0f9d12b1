package udp

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// lossyWay carries datagrams between a sender, for which it is the viewer, and a viewer, and loses some.
type lossyWay struct {
	front, back *net.UDPConn // of which the sender, and the viewer, sees the address
	mu          sync.Mutex
	rng         *rand.Rand
	sender      netip.AddrPort
}

func newLossyWay(t *testing.T, viewer netip.AddrPort, loss float64) *lossyWay {
	t.Helper()
	w := &lossyWay{rng: rand.New(rand.NewPCG(3, 4))}
	var wg sync.WaitGroup
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		setReadBuffer(c, 4<<20)
		return c
	}
	w.front, w.back = open(), open()
	carry := func(in, out *net.UDPConn, data bool) {
		buf := make([]byte, 2000)
		for {
			n, from, err := in.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			w.mu.Lock()
			to := viewer
			if data {
				w.sender = from
			} else {
				to = w.sender
			}
			lost := w.rng.Float64() < loss
			w.mu.Unlock()
			if err == nil && !lost && to.IsValid() {
				out.WriteToUDPAddrPort(buf[:n], to)
			}
		}
	}
	wg.Go(func() { carry(w.front, w.back, true) })
	wg.Go(func() { carry(w.back, w.front, false) })
	t.Cleanup(func() { w.front.Close(); w.back.Close(); wg.Wait() })
	return w
}

// A viewer and a sender that sends again bring nearly every frame over a way that loses one datagram in twenty.
func TestRepairsBringFramesWhole(t *testing.T) {
	r := hearing(t, ReceiverConfig{Repair: true, Deadline: 200 * time.Millisecond})
	w := newLossyWay(t, r.LocalAddr(), 0.05)
	s := speak(t, SenderConfig{To: []netip.AddrPort{w.front.LocalAddr().(*net.UDPAddr).AddrPort()}, Repair: RepairNACK, NoOffload: true})
	const frames = 100
	for i := range frames {
		f := pictureOf(30)
		write(t, s, f)
		eventually(t, "the frame or its end", func() bool {
			c := r.Stats().Fragments
			return c.Opened == c.Complete+c.Incomplete.Sum() && c.Opened > uint64(i)
		})
	}
	c := r.Stats().Fragments
	t.Logf("%+v", c)
	if c.Complete < frames*95/100 || c.Repaired < frames/4 {
		t.Errorf("of %d frames %d are whole, %d of them repaired", frames, c.Complete, c.Repaired)
	}
}
