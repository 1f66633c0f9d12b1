package udp

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// asked has p ask as the time passes, and returns the pings.
func askedBy(t *testing.T, p *pinger, from time.Time, d time.Duration) (pings []fragment.Ping) {
	t.Helper()
	for now := from; now.Before(from.Add(d)); now = now.Add(10 * time.Millisecond) {
		b := p.next(nil, now)
		if len(b) == 0 {
			continue
		}
		var ping fragment.Ping
		if err := ping.Parse(b); err != nil {
			t.Fatal(err)
		}
		pings = append(pings, ping)
	}
	return pings
}

// answered is the Pong of a peer whose clock is ahead, and t4.
func answered(t *testing.T, ping fragment.Ping, ahead, trip time.Duration) ([]byte, time.Time) {
	t.Helper()
	there := ping.Sent + (ahead + trip/2).Microseconds()
	b, err := (&fragment.Pong{ID: ping.ID, Sent: ping.Sent, Received: there, Answered: there}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b, time.UnixMicro(ping.Sent).Add(trip)
}

func TestPinger(t *testing.T) {
	peer, other := netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.2:5000")
	start := time.Now()
	var p pinger
	if got := askedBy(t, &p, start, time.Second); len(got) != 0 {
		t.Errorf("nobody is followed, and %d pings", len(got))
	}
	p.follow(start, peer, 0)
	pings := askedBy(t, &p, start, 10*time.Second)
	if len(pings) != 18 || pings[7].Sent-pings[0].Sent > 800_000 {
		t.Errorf("%d pings in 10 s, the first 8 in %d µs; want 18, of which 8 in the first second", len(pings), pings[7].Sent-pings[0].Sent)
	}
	if got := askedBy(t, &p, start.Add(10*time.Second), 5*time.Second); len(got) > 1 {
		t.Errorf("a sender that is silent for 10 s is asked %d times", len(got))
	}
	p.follow(start.Add(15*time.Second), peer, 0)
	last := askedBy(t, &p, start.Add(15*time.Second), 2*time.Second)

	const ahead, trip = 3 * time.Second, 200 * time.Microsecond
	good, t4 := answered(t, last[0], ahead, trip)
	bad := []struct {
		what string
		from netip.AddrPort
		b    []byte
	}{
		{"another address", other, good},
		{"another port", netip.AddrPortFrom(peer.Addr(), 1), good},
		{"cut off", peer, good[:len(good)-1]},
		{"empty", peer, nil},
	}
	for what, edit := range map[string]func(*fragment.Pong){
		"another id":            func(p *fragment.Pong) { p.ID++ },
		"another t1":            func(p *fragment.Pong) { p.Sent-- },
		"an id never asked for": func(p *fragment.Pong) { p.ID, p.Sent = 0, 0 },
	} {
		var pong fragment.Pong
		if err := pong.Parse(good); err != nil {
			t.Fatal(err)
		}
		edit(&pong)
		b, _ := pong.AppendBinary(nil)
		bad = append(bad, struct {
			what string
			from netip.AddrPort
			b    []byte
		}{what, peer, b})
	}
	old, _ := answered(t, pings[0], ahead, trip)
	bad = append(bad, struct {
		what string
		from netip.AddrPort
		b    []byte
	}{"one long ago", peer, old})
	for _, tt := range bad {
		if p.pong(tt.from, tt.b, t4) {
			t.Errorf("a pong from %v was believed: %s", tt.from, tt.what)
		}
	}
	if _, ok := p.filter.Offset(t4.UnixMicro()); ok {
		t.Error("an offset is known without an answer")
	}
	if !p.pong(peer, good, t4) || p.pong(peer, good, t4) {
		t.Error("the answer was not believed, or twice")
	}
	if o, ok := p.filter.Offset(t4.UnixMicro()); !ok || (o.Ahead-ahead).Abs() > o.Bound || o.Bound > time.Millisecond {
		t.Errorf("offset is %+v, %t, want %v", o, ok, ahead)
	}
	later, t4 := answered(t, last[1], ahead, trip)
	if !p.follow(start, peer, 1) || p.follow(start, peer, 1) {
		t.Error("another sender is news, once")
	}
	if _, ok := p.filter.Offset(t4.UnixMicro()); !ok {
		t.Error("a sender that was started again on the same machine has lost its clock")
	}
	if p.pong(peer, later, t4) {
		t.Error("an answer to the one before was believed")
	}
	p.follow(start, netip.AddrPortFrom(netip.MustParseAddr("10.9.9.9"), 1), 2)
	if _, ok := p.filter.Offset(t4.UnixMicro()); ok {
		t.Error("what was known of one machine is taken for another's")
	}
}

// Between a sender and a viewer on one machine the offset is 0, within its bound.
func TestClock(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		cfg := ReceiverConfig{}
		if listen != ":0" {
			cfg.Listen = netip.MustParseAddrPort(listen)
		}
		r, err := Listen(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		to := r.LocalAddr()
		if to.Addr().IsUnspecified() {
			to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())
		}
		s, err := NewSender(SenderConfig{To: []netip.AddrPort{to}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, ok := r.Clock(); ok {
			t.Error("an offset is known before the first frame")
		}
		eventually(t, "an offset", func() bool {
			s.Write(t.Context(), frameOf(2))
			_, ok := r.Clock()
			return ok
		})
		if o, _ := r.Clock(); o.Ahead.Abs() > o.Bound {
			t.Errorf("%s: offset is %v ± %v", listen, o.Ahead, o.Bound)
		}
		eventually(t, "the figures", func() bool {
			s.Write(t.Context(), frameOf(2))
			return s.Stats().To[0].Pongs > 0
		})
		st := r.Stats()
		if sent := s.Stats().To[0]; st.Pings == 0 || st.Pongs == 0 || st.Pongs > st.Pings || sent.Pongs > sent.Pings || sent.Pings > st.Pings+1 {
			t.Errorf("viewer %+v, sender %+v", st, sent)
		}
		if st.Datagrams != st.Control+st.Fragments.Received || st.Control < st.Pongs {
			t.Errorf("the figures do not balance: %+v", st)
		}
	}
}

// A flood of pings is answered at a bounded rate, by datagrams no larger, and rubbish
// not at all; frames go on.
func TestPingFlood(t *testing.T) {
	listener, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{localAddr(listener)}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Write(t.Context(), stream.NewFrame([]byte("x")))
	buf := make([]byte, 2000)
	_, from, err := listener.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	ping, err := (&fragment.Ping{ID: 7, Sent: 1}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	pong, _ := (&fragment.Pong{}).AppendBinary(nil)
	began := time.Now()
	for i := range 5000 {
		for _, b := range [][]byte{ping, ping[:len(ping)-1], pong, {}, make([]byte, 1500)} {
			listener.WriteToUDPAddrPort(b, from)
		}
		if i%1000 == 0 {
			s.Write(t.Context(), stream.NewFrame([]byte("x")))
		}
	}
	took := time.Since(began)
	pongs, frames := 0, 0
	listener.SetReadDeadline(time.Now().Add(time.Second))
	for {
		n, _, err := listener.ReadFromUDPAddrPort(buf)
		if err != nil {
			break
		}
		switch c, _ := fragment.ParseCommon(buf[:n]); {
		case c.Type == fragment.TypePong && n <= len(ping):
			pongs++
		case c.Type == fragment.TypeData:
			frames++
		default:
			t.Fatalf("a datagram of type %v with %d bytes", c.Type, n)
		}
	}
	if most := pongRate * (2 + int((took + time.Second).Seconds())); pongs == 0 || pongs > most || frames != 5 {
		t.Errorf("%d pongs within %v and a second, want 1..%d; %d frames, want 5", pongs, took, most, frames)
	}
}

// What nobody listens to is told by ICMP to whoever reads the socket first; it is
// counted all the same, and the next viewer there is answered.
func TestRefusalsAreCounted(t *testing.T) {
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	at := r.LocalAddr()
	r.Close()
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{at}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 200 {
		s.Write(t.Context(), stream.NewFrame([]byte("x")))
		time.Sleep(time.Millisecond) // for the reader
	}
	if st := s.Stats().To[0]; st.Refused < 100 {
		t.Errorf("%+v, want a refusal for nearly every frame", st)
	}
	if r, err = Listen(ReceiverConfig{Listen: at}); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	eventually(t, "an offset", func() bool {
		s.Write(t.Context(), frameOf(1))
		_, ok := r.Clock()
		return ok
	})
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("239.1.2.3:5699")})
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSender(SenderConfig{To: []netip.AddrPort{r.LocalAddr(), netip.MustParseAddrPort("127.0.0.1:9")}})
		if err != nil {
			t.Fatal(err)
		}
		s.Write(t.Context(), frameOf(1))
		s.Close()
		s.Close()
		r.Close()
	}
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}

// A sender answers also while it has no frame to send.
func TestClockBetweenFrames(t *testing.T) {
	s, r := testSender(t, io.Discard)
	s.Write(t.Context(), frameOf(2))
	eventually(t, "8 answers after one frame", func() bool { return r.Stats().Pongs >= firstPings })
}
