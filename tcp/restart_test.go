package tcp

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// Either side may be restarted, whoever dials: video goes on, and the log says once that
// nobody is there.
func TestRestartsAreSurvived(t *testing.T) {
	jpegs := [][]byte{randomBytes(5000), randomBytes(6000)}
	t.Run("sender listens", func(t *testing.T) {
		var log logBuffer
		at := []netip.AddrPort{loopback}
		s := newSender(t, SenderConfig{Listen: at})
		at = s.LocalAddrs()
		r := newReceiver(t, ReceiverConfig{From: at[0].String(), Log: log.logger()})
		for i, jpeg := range jpegs {
			stop := flow(t, s, jpeg)
			see(t, r, jpeg)
			stop()
			s.Close()
			if i == 0 {
				await(t, "two failures", func() bool { return r.Stats().Failures >= 2 })
				s = newSender(t, SenderConfig{Listen: at})
			}
		}
		if got := log.String(); strings.Count(got, "nobody listens there") > 2 || !strings.Contains(got, "framegram send") {
			t.Errorf("the log is %q", got)
		}
		if st := r.Stats(); st.Connects != 2 {
			t.Errorf("got %+v", st)
		}
	})
	t.Run("viewer listens", func(t *testing.T) {
		var log logBuffer
		r := newReceiver(t, ReceiverConfig{Listen: loopback})
		at := r.LocalAddr()
		s := newSender(t, SenderConfig{To: []string{at.String()}, Log: log.logger()})
		for i, jpeg := range jpegs {
			stop := flow(t, s, jpeg)
			see(t, r, jpeg)
			stop()
			r.Close()
			if i == 0 {
				await(t, "two failures", func() bool { return s.Stats().Failures >= 2 })
				r = newReceiver(t, ReceiverConfig{Listen: at})
			}
		}
		if got := log.String(); strings.Count(got, "nobody listens there") > 2 || !strings.Contains(got, "framegram view") {
			t.Errorf("the log is %q", got)
		}
	})
	t.Run("the one that dials", func(t *testing.T) {
		s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
		flow(t, s, jpegs[0])
		for range 2 {
			r := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()})
			see(t, r, jpegs[0])
			r.Close()
		}
		r := newReceiver(t, ReceiverConfig{Listen: loopback})
		for _, jpeg := range jpegs {
			s := newSender(t, SenderConfig{To: []string{r.LocalAddr().String()}})
			stop := flow(t, s, jpeg)
			see(t, r, jpeg)
			stop()
			s.Close()
		}
	})
}

// However long it has failed, it is tried again within a second: 2 s are promised until
// the picture is back.
func TestPausesGrowAndStayShort(t *testing.T) {
	c := &caller{}
	for i, most := range []time.Duration{100, 200, 400, 800, 800, 800} {
		most *= time.Millisecond
		if got := c.pause(); got < most/2 || got > most {
			t.Errorf("pause %d is %v, want %v to %v", i, got, most/2, most)
		}
	}
}

// The followed sender is kept as long as it sends, and after that until another one
// completes a frame.
func TestAnotherSenderTakesOverFromASilentOne(t *testing.T) {
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	first, second := dialWire(t, r.LocalAddr()), dialWire(t, r.LocalAddr())
	first.announce()
	second.announce()
	first.send(first.frameMessage(1, []byte("first")))
	see(t, r, []byte("first"))

	second.send(second.frameMessage(1, []byte("too early")))
	await(t, "it to be left out", func() bool { return r.Stats().Unfollowed == 1 })
	damaged := second.frameMessage(2, []byte("damaged"))
	damaged[len(damaged)-1]++
	time.Sleep(takeover)
	second.send(damaged)
	await(t, "the damage", func() bool { return r.Stats().Damaged == 1 })
	if from := r.Stats().From; from != first.LocalAddr().String() {
		t.Errorf("a damaged frame made %s followed", from)
	}
	second.send(second.frameMessage(3, []byte("second")))
	see(t, r, []byte("second"))
	first.send(first.frameMessage(2, []byte("back")))
	await(t, "it to be left out", func() bool { return r.Stats().Unfollowed == 2 })

	// One that is gone is not waited for.
	second.Close()
	await(t, "it to be gone", func() bool { return r.Stats().Connected == 1 })
	first.send(first.frameMessage(3, []byte("first again")))
	see(t, r, []byte("first again"))
	if st := r.Stats(); st.Frames != 3 || st.Takeovers != 1 || st.From != first.LocalAddr().String() {
		t.Errorf("got %+v", st)
	}
}

func TestSendersAreBounded(t *testing.T) {
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	for range maxSenders {
		dialWire(t, r.LocalAddr()).announce()
	}
	await(t, "all of them", func() bool { return r.Stats().Connected == maxSenders })
	w := dialWire(t, r.LocalAddr())
	w.announce()
	var refuse fragment.Refuse
	if err := refuse.Parse(w.read(fragment.TypeRefuse)); err != nil || refuse.Reason != fragment.RefuseFull || refuse.Viewer != 7 {
		t.Errorf("got %+v, %v", refuse, err)
	}
	w.closed()
	if st := r.Stats(); st.Refused != 1 {
		t.Errorf("got %+v", st)
	}
}

func TestCloseSaysBye(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	viewer := dialWire(t, s.LocalAddrs()[0])
	viewer.hello()
	awaitViewers(t, s, 1)
	go s.Close()
	var bye fragment.Bye
	if err := bye.Parse(viewer.read(fragment.TypeBye)); err != nil {
		t.Error(err)
	}
	viewer.closed()

	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	sender := dialWire(t, r.LocalAddr())
	sender.announce()
	await(t, "the sender", func() bool { return r.Stats().Connected == 1 })
	go r.Close()
	if err := bye.Parse(sender.read(fragment.TypeBye)); err != nil {
		t.Error(err)
	}
	sender.closed()
}

// Close waits for every goroutine, whatever it is doing: dialling, greeting, writing to
// who does not read, reading from who stopped.
func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	at, accept := listenWire(t)
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, To: []string{at, "127.0.0.1:1", "192.0.2.1:5600"}})
	accept() // says nothing
	stuck, quiet := dialWire(t, s.LocalAddrs()[0]), dialWire(t, s.LocalAddrs()[0])
	stuck.hello()
	quiet.read(fragment.TypeAnnounce)
	awaitViewers(t, s, 1)
	if err := s.Write(t.Context(), newFrame(make([]byte, 16<<20))); err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	w := dialWire(t, r.LocalAddr())
	w.announce()
	w.send(w.frameMessage(1, make([]byte, 1000))[:500])
	await(t, "the sender", func() bool { return r.Stats().Connected == 1 })
	dialling := newReceiver(t, ReceiverConfig{From: "127.0.0.1:1"})

	start := time.Now()
	s.Close()
	r.Close()
	dialling.Close()
	if took := time.Since(start); took > patience/2 {
		t.Errorf("closing took %v", took)
	}
	await(t, "all goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	s.Close()
	r.Close()
	f := newFrame([]byte("late"))
	if err := s.Write(t.Context(), f); err != nil {
		t.Error(err)
	}
	f.Release()
}

func TestUsedAddressIsAnError(t *testing.T) {
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	if _, err := NewReceiver(ReceiverConfig{Listen: r.LocalAddr()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
	if _, err := NewSender(SenderConfig{Listen: []netip.AddrPort{loopback, r.LocalAddr()}}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
	none := netip.MustParseAddrPort("192.0.2.1:0")
	if _, err := NewReceiver(ReceiverConfig{Listen: none}); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("got %v, want EADDRNOTAVAIL", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	to := []string{"host:5600"}
	for want, cfg := range map[string]SenderConfig{
		"To and Listen are empty": {},
		"MaxViewers is -1":        {To: to, MaxViewers: -1},
		"MaxViewers is 1001":      {To: to, MaxViewers: 1001},
		"DSCP is 64":              {To: to, DSCP: 64},
		`To[1] is "host"`:         {To: []string{"host:1", "host"}},
		`To[0] is "host:0"`:       {To: []string{"host:0"}},
		`To[0] is ":5600"`:        {To: []string{":5600"}},
		`congestion control`:      {To: to, Congestion: "no-such-thing"},
	} {
		if _, err := NewSender(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
	for want, cfg := range map[string]ReceiverConfig{
		"MaxFrame is -1":       {MaxFrame: -1},
		"MaxFrame is 16777217": {MaxFrame: 1<<24 + 1},
		`From is "host"`:       {From: "host"},
		`congestion control`:   {Congestion: "no-such-thing"},
	} {
		if _, err := NewReceiver(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
}
