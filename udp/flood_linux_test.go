package udp

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/fragment"
)

// forger says hello with 10 000 addresses a second that are not its own, and hears what
// is answered to them.
type forger struct {
	sent, answers, larger atomic.Int64
	conn                  *net.UDPConn
	to                    netip.AddrPort
}

// newForger has all of 198.18.0.0/15 (RFC 2544) lead back to this machine, so that one
// socket can send from any address there and hear what is sent to it.
func newForger(t *testing.T, to netip.AddrPort) *forger {
	t.Helper()
	ipCommand(t, "route add local 198.18.0.0/15 dev lo")
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadBuffer(8 << 20)
	f := &forger{conn: conn, to: to}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			f.answers.Add(1)
			if n > helloLen {
				f.larger.Add(1)
			}
		}
	}()
	return f
}

const helloLen = 40 // bytes of payload; docs/PROTOCOL.md, section 6

// run forges for a while.
func (f *forger) run(t *testing.T, d time.Duration) {
	b, err := (&fragment.Hello{Cookie: 1, MaxFrame: 1 << 24}).AppendBinary(nil)
	if err != nil || len(b) != helloLen {
		t.Fatal(len(b), err)
	}
	for began := time.Now(); time.Since(began) < d; time.Sleep(time.Millisecond) {
		for due := int64(10_000 * time.Since(began).Seconds()); f.sent.Load() < due; f.sent.Add(1) {
			n := f.sent.Load()
			b[27], b[20] = byte(n), byte(n%2) // the cookie is 0, or made up
			from := [4]byte{198, 18 + byte(n>>16&1), byte(n >> 8), byte(n)}
			if err := send(f.conn, b, unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from}), sockaddr(f.to, false)); err != nil {
				t.Error(err)
				return
			}
		}
	}
}

// check says what was wrong with the answers within a time.
func (f *forger) check(t *testing.T, took time.Duration, h HouseStats) {
	t.Helper()
	t.Logf("%d forged hellos in %v, %d answers; %+v", f.sent.Load(), took, f.answers.Load(), h)
	if most := int64(challengeRate * (took.Seconds() + 2)); f.answers.Load() == 0 || f.answers.Load() > most || f.larger.Load() > 0 {
		t.Errorf("%d forged hellos in %v have %d answers, want 1..%d; %d were larger than the hello", f.sent.Load(), took, f.answers.Load(), most, f.larger.Load())
	}
	if h.Hellos < uint64(f.sent.Load()/2) {
		t.Errorf("%d forged hellos, and %d were read", f.sent.Load(), h.Hellos)
	}
}

// In a flood of forged hellos nobody is served who is not there; who is there gets in, and
// stays; and video that runs meanwhile loses nothing.
func TestViewersComeInAFloodOfForgedHellos(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	r := hear(t, ReceiverConfig{Listen: ap("127.0.0.1:0")})
	s := speak(t, SenderConfig{To: []netip.AddrPort{r.LocalAddr()}, Listen: addrs("127.0.0.1:0"), MaxViewers: 16})
	f := newForger(t, s.LocalAddrs()[0])
	began := time.Now()
	over, shown := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		f.run(t, 3*time.Second)
	}()
	go func() {
		defer close(shown)
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Second / 60):
				s.Write(context.Background(), frameOf(48))
			}
		}
	}()
	time.Sleep(1500 * time.Millisecond) // until the answers that had been saved up are used
	v := newVisitor(t, "127.0.0.1", f.to)
	asked := time.Now()
	v.ask()
	eventually(t, "a frame", func() bool {
		v.hello()
		c, err := fragment.ParseCommon(v.hear(100 * time.Millisecond))
		return err == nil && c.Type == fragment.TypeData
	})
	t.Logf("served after %v", time.Since(asked))
	for flooding := true; flooding; {
		select {
		case <-over:
			flooding = false
		case <-time.After(500 * time.Millisecond):
			v.hello()
		}
		if st := s.Stats(); st.House.Viewers != 1 || st.House.Joined != 1 {
			t.Fatalf("one viewer is there: %+v", st.House)
		}
	}
	f.check(t, time.Since(began), *s.Stats().House)
	<-shown
	sent := s.Stats()
	eventually(t, "the last datagram", func() bool { return r.Stats().Fragments.Received >= sent.To[0].Datagrams })
	st := r.Stats()
	t.Logf("%d frames sent, %d came whole", sent.Frames, st.Fragments.Complete)
	if sent.Frames < 60 || sent.To[0].Datagrams != sent.Frames*48 || st.Fragments.Missing > 0 || st.KernelDrops > 0 {
		t.Errorf("sent: %+v, came: %+v", sent, st)
	}
}
