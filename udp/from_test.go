package udp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// streaming starts a sender that sends a frame every 10 ms until it is closed, which the
// function it returns does.
func streaming(t *testing.T, cfg SenderConfig) (s *Sender, end func()) {
	t.Helper()
	s, err := NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			f := stream.NewFrame(make([]byte, 20_000))
			f.Captured = time.Now()
			s.Write(ctx, f)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	end = func() {
		cancel()
		<-ended
		s.Close()
	}
	t.Cleanup(end)
	return s, end
}

// watch is a viewer that takes every frame.
func watch(t *testing.T, from netip.AddrPort, log *slog.Logger) *Receiver {
	t.Helper()
	r, err := Listen(ReceiverConfig{From: from.String(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	takeAll(t, r)
	return r
}

// takeAll takes every frame of r until the test ends, and with it r.
func takeAll(t *testing.T, r *Receiver) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			f, err := r.Next(ctx)
			if err != nil {
				return
			}
			f.Release()
		}
	}()
	t.Cleanup(func() { cancel(); r.Close(); <-ended })
}

// within waits, generously, until something holds, and returns for how long.
func within(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(began)
}

func moreFrames(r *Receiver) func() bool {
	before := r.Stats().Fragments.Complete
	return func() bool { return r.Stats().Fragments.Complete > before+3 }
}

func TestViewerSubscribes(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(at, func(t *testing.T) {
			s, _ := streaming(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort(at)}})
			r := watch(t, s.LocalAddrs()[0], nil)
			t.Logf("frames after %v", within(t, "frames", moreFrames(r)))
			within(t, "a report", func() bool {
				v := s.Stats().Viewers
				return len(v) == 1 && v[0].ReportAge >= 0 && v[0].Shown > 10 && v[0].RTT > 0 && v[0].To == "subscribed"
			})
			st, rs := s.Stats(), r.Stats()
			if v := st.Viewers[0]; v.Lost != 0 || v.Missing != 0 || v.Received == 0 || uint64(v.Frame) > st.Frames+uint64(st.Unsent) {
				t.Errorf("the viewer reports %+v of %+v", v, rs)
			}
			if rs.Asking.State != "served" || rs.Asking.Challenges != 1 || rs.Reports == 0 {
				t.Errorf("the viewer's figures: %+v, %+v", rs, rs.Asking)
			}
			within(t, "the sender's clock", func() bool { _, ok := r.Clock(); return ok })
			if o, _ := r.Clock(); o.Ahead.Abs() > o.Bound+time.Millisecond {
				t.Errorf("the same clock is %v ± %v ahead", o.Ahead, o.Bound)
			}
			r.Close()
			within(t, "its leaving", func() bool { return s.Stats().House.Left == 1 })
		})
	}
}

// Either side is started again while the other one goes on.
func TestSubscriptionComesBack(t *testing.T) {
	t.Parallel()
	var log journal
	s, end := streaming(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	at := s.LocalAddrs()[0]
	r := watch(t, at, log.logger())
	within(t, "frames", moreFrames(r))
	end()
	within(t, "the news", func() bool { return log.has("the sender has ended") })
	within(t, "a refusal", func() bool { return r.Stats().Asking.State == "nobody listens" })
	s, _ = streaming(t, SenderConfig{Listen: []netip.AddrPort{at}})
	t.Logf("the sender started again: frames after %v", within(t, "frames of the next sender", moreFrames(r)))
	r.Close()
	within(t, "its leaving", func() bool { return s.Stats().House.Viewers == 0 })
	r = watch(t, at, nil)
	t.Logf("the viewer started again: frames after %v", within(t, "frames for the next viewer", moreFrames(r)))
}

// A viewer that is started first asks until the sender is there.
func TestViewerBeforeItsSender(t *testing.T) {
	t.Parallel()
	var log journal
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	c.Close()
	r := watch(t, at, log.logger())
	within(t, "the trouble said", func() bool { return log.has("nobody listens there") || log.has("no answer") })
	streaming(t, SenderConfig{Listen: []netip.AddrPort{at}})
	t.Logf("frames after %v", within(t, "frames", moreFrames(r)))
}

func TestFullHouse(t *testing.T) {
	t.Parallel()
	var log journal
	s, _ := streaming(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, MaxViewers: 1})
	first := watch(t, s.LocalAddrs()[0], nil)
	within(t, "frames", moreFrames(first))
	second := watch(t, s.LocalAddrs()[0], log.logger())
	within(t, "the news", func() bool { return log.has("as many viewers as it may") })
	if n := second.Stats().Fragments.Complete; n != 0 {
		t.Errorf("it was served %d frames all the same", n)
	}
	first.Close()
	t.Logf("let in after %v", within(t, "frames for the second", moreFrames(second)))
}

// What comes from elsewhere is neither shown nor believed.
func TestStrangersDoNotReachAViewerThatAsks(t *testing.T) {
	t.Parallel()
	s, _ := streaming(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	r := watch(t, s.LocalAddrs()[0], nil)
	within(t, "frames", moreFrames(r))
	r.mu.Lock()
	session := r.ask.session
	r.mu.Unlock()
	to := localAddr(r.conn).Port()
	c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(to)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, m := range []interface{ AppendBinary([]byte) ([]byte, error) }{
		&fragment.Challenge{Cookie: 7, Viewer: session}, &fragment.Refuse{Reason: fragment.RefuseFull, Viewer: session}, &fragment.Bye{},
	} {
		for range 10 {
			c.Write(bytesOf(t, m)) // refused, where the socket hears only its sender
		}
	}
	within(t, "more frames", moreFrames(r))
	if a := r.Stats().Asking; a.State != "served" || a.Challenges != 1 || a.Refusals != 0 {
		t.Errorf("strangers were believed: %+v", a)
	}
}

// A sender whose source rests goes on serving its viewer, and the one place that there is
// stays the viewer's: it does not come as another one.
func TestViewerKeepsItsPlaceWhileTheSourceRests(t *testing.T) {
	t.Parallel()
	var log journal
	s, err := NewSender(SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, MaxViewers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r := watch(t, s.LocalAddrs()[0], log.logger())
	within(t, "the news", func() bool { return log.has("sends no frames") })
	r.turnTo(s.LocalAddrs()[0], true) // as when nothing has been heard for long
	r.turnTo(s.LocalAddrs()[0], true)
	h := s.Stats().House.Hellos
	within(t, "more hellos", func() bool { return s.Stats().House.Hellos >= h+8 })
	if h := s.Stats().House; h.Joined != 1 || h.Viewers != 1 || h.RefusedFull != 0 || h.Expired != 0 {
		t.Errorf("the one viewer came and went: %+v", h)
	}
	within(t, "frames", func() bool {
		s.Write(t.Context(), frameOf(2))
		return r.Stats().Fragments.Complete > 0
	})
	if st := r.Stats().Asking.State; st != "served" {
		t.Errorf("state %q", st)
	}
}

// A name's addresses are asked in turn until one answers, and then that one.
func TestViewerChoosesAmongAddresses(t *testing.T) {
	found, err := lookUp(t.Context(), "[::1]:7")
	if err != nil || len(found) != 1 || found[0] != netip.MustParseAddrPort("[::1]:7") {
		t.Errorf("got %v, %v", found, err)
	}
	a, b := netip.MustParseAddrPort("10.0.0.1:5600"), netip.MustParseAddrPort("[fd00::1]:5600")
	found = []netip.AddrPort{a, b}
	r := &Receiver{ask: newAsker(1, time.Unix(1000, 0))}
	for try, want := range []netip.AddrPort{a, b, a} {
		if got := r.choose(found, try); got != want {
			t.Errorf("try %d asks %v, want %v", try, got, want)
		}
	}
	r.ask.ask(b)
	r.ask.cookie = 1
	if got := r.choose(found, 2); got != b {
		t.Errorf("%v is asked, though %v has answered", got, b)
	}
	if got := r.choose(found[:1], 3); got != a {
		t.Errorf("%v is asked, which the name no longer has", got)
	}
}

func TestFromIsChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   ReceiverConfig
		field string
	}{
		"with an address to listen on": {ReceiverConfig{From: "127.0.0.1:5600", Listen: netip.MustParseAddrPort("127.0.0.1:0")}, "from"},
		"with an interface":            {ReceiverConfig{From: "127.0.0.1:5600", Interfaces: []string{"lo"}}, "iface"},
		"with a group's source":        {ReceiverConfig{From: "127.0.0.1:5600", Source: netip.MustParseAddr("10.0.0.1")}, "multicast-source"},
		"without a port":               {ReceiverConfig{From: "127.0.0.1"}, "from"},
		"with port 0":                  {ReceiverConfig{From: "127.0.0.1:0"}, "from"},
		"with a port too high":         {ReceiverConfig{From: "127.0.0.1:65536"}, "from"},
		"without a host":               {ReceiverConfig{From: ":5600"}, "from"},
	} {
		r, err := Listen(tt.cfg)
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != tt.field {
			t.Errorf("%s: got %v, want an error of %s", name, err, tt.field)
		}
		if err == nil {
			r.Close()
		}
	}
}

// An address keeps the interface that it names.
func TestLookUpKeepsTheZone(t *testing.T) {
	for _, from := range []string{"[fe80::1%lo]:5600", "[::1]:5600", "127.0.0.1:5600"} {
		if found, err := lookUp(t.Context(), from); err != nil || len(found) != 1 || found[0].String() != from {
			t.Errorf("%s was found at %v, %v", from, found, err)
		}
	}
}
