package udp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// serving opens a Sender that viewers may ask.
func serving(t *testing.T, most int, log *slog.Logger) (*Sender, netip.AddrPort) {
	t.Helper()
	s, err := NewSender(SenderConfig{Listen: []netip.AddrPort{ap("127.0.0.1:0")}, MaxViewers: most, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, s.LocalAddrs()[0]
}

// watch says hello while frames are sent until one of them comes, and returns the first
// data datagram. Others are passed over.
func (v *visitor) watch(s *Sender) (first fragment.Header) {
	v.t.Helper()
	v.ask()
	eventually(v.t, "data", func() bool {
		v.hello()
		s.Write(v.t.Context(), frameOf(2))
		_, err := first.Parse(v.hear(50 * time.Millisecond))
		return err == nil
	})
	return first
}

// drain reads until nothing comes any more, and returns the last Bye.
func (v *visitor) drain() (bye *fragment.Bye) {
	v.t.Helper()
	for b := v.hear(100 * time.Millisecond); b != nil; b = v.hear(100 * time.Millisecond) {
		var y fragment.Bye
		if y.Parse(b) == nil {
			bye = &y
		}
	}
	return bye
}

// A viewer is served from its Hello with the cookie to its Bye, and another time in a
// session of its own from 0 on; also when it did not say Bye before.
func TestSubscription(t *testing.T) {
	s, at := serving(t, 16, nil)
	for range 3 {
		s.Write(t.Context(), frameOf(2))
	}
	v := newVisitor(t, "127.0.0.1", at)
	first := v.watch(s)
	if first.Sequence != 0 || first.Frame < 3 {
		t.Errorf("the first datagram is %+v, want number 0 of the newest frame", first)
	}
	// A Hello that waits at the listener's socket while the Bye comes to the guest's is heard after it.
	eventually(t, "all hellos to be heard", func() bool { return s.Stats().House.Hellos == v.hellos })
	v.say(&fragment.Bye{Common: fragment.Common{Session: v.session}})
	eventually(t, "the end", func() bool {
		s.Write(t.Context(), frameOf(2))
		return s.Stats().House.Left == 1 && len(s.Stats().To) == 0 && len(s.Stats().Viewers) == 0
	})
	v.drain()
	s.Write(t.Context(), frameOf(2))
	if b := v.hear(100 * time.Millisecond); b != nil {
		t.Errorf("after its bye it gets % x", b)
	}
	sessions := map[uint64]bool{first.Session: true}
	for range 2 { // the second time without a bye
		v.drain()
		v.session, v.cookie = newSession(), 0
		again := v.watch(s)
		eventually(t, "data in a new session", func() bool {
			for sessions[again.Session] { // frames of the visit before
				b := v.hear(50 * time.Millisecond)
				if b == nil {
					v.hello()
					s.Write(t.Context(), frameOf(2))
					return false
				}
				again.Parse(b)
			}
			return true
		})
		if again.Sequence != 0 {
			t.Errorf("the first datagram of a new session has number %d", again.Sequence)
		}
		sessions[again.Session] = true
	}
	if st := s.Stats(); st.House.Joined != 3 || st.House.Restarted != 1 || len(st.To) != 1 || len(st.Viewers) != 1 {
		t.Errorf("%+v, %+v", st, st.House)
	}
}

// Who is silent is dropped after 3 s and not before, and the others go on.
func TestSilentViewerIsDropped(t *testing.T) {
	t.Parallel()
	s, at := serving(t, 16, nil)
	silent, other := newVisitor(t, "127.0.0.1", at), newVisitor(t, "127.0.0.1", at)
	silent.watch(s)
	said := time.Now()
	other.watch(s)
	eventually(t, "the end of one", func() bool {
		other.hello()
		s.Write(t.Context(), frameOf(1))
		return s.Stats().House.Expired == 1
	})
	if took := time.Since(said); took < guestPatience-100*time.Millisecond { // its last Hello is a little older than said
		t.Errorf("it was dropped after %v", took)
	}
	s.Write(t.Context(), frameOf(1))
	if st := s.Stats(); st.House.Viewers != 1 || len(st.To) != 1 {
		t.Errorf("%+v", st)
	}
}

func TestCloseSaysBye(t *testing.T) {
	t.Parallel()
	s, at := serving(t, 16, nil)
	var all []*visitor
	for range 10 {
		v := newVisitor(t, "127.0.0.1", at)
		v.watch(s)
		all = append(all, v)
	}
	s.Close()
	for i, v := range all {
		if v.drain() == nil {
			t.Errorf("viewer %d got no bye", i)
		}
	}
}

// What is told of a full house comes to the viewer, and when there is room it may come.
func TestFullSenderRefuses(t *testing.T) {
	var log journal
	s, at := serving(t, 1, log.logger())
	first, second := newVisitor(t, "127.0.0.1", at), newVisitor(t, "127.0.0.1", at)
	first.watch(s)
	second.ask()
	var refuse fragment.Refuse
	if err := refuse.Parse(second.hear(10 * time.Second)); err != nil || refuse.Reason != fragment.RefuseFull || refuse.Viewer != second.session {
		t.Errorf("%+v, %v", refuse, err)
	}
	first.say(&fragment.Bye{Common: fragment.Common{Session: first.session}})
	second.watch(s)
}

func TestReportsReachTheStats(t *testing.T) {
	s, at := serving(t, 16, nil)
	v := newVisitor(t, "127.0.0.1", at)
	first := v.watch(s)
	eventually(t, "a row", func() bool {
		v.hello()
		v.say(&fragment.Report{Of: first.Session, Shown: 42, RTT: 7})
		s.Write(t.Context(), frameOf(1))
		rows := s.Stats().Viewers
		return len(rows) == 1 && rows[0].Shown == 42 && rows[0].RTT == 7 && rows[0].To == "subscribed" && rows[0].Addr == fmt.Sprint(localAddr(v.c))
	})
}

// A port in use is refused to a second sender, while viewers are served on it.
func TestSecondSenderIsRefused(t *testing.T) {
	s, at := serving(t, 16, nil)
	newVisitor(t, "127.0.0.1", at).watch(s)
	second, err := NewSender(SenderConfig{Listen: []netip.AddrPort{at}})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
	if err == nil {
		second.Close()
	}
}
