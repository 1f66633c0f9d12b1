package udp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// script is a writer that takes at most some datagrams at a time and answers with
// prepared errors, one for each such portion. Otherwise it takes everything.
type script struct {
	errs    []error
	took    int
	queued  int  // bytes that have not left
	noRoom  bool // for ever
	waited  time.Duration
	portion int // 0 = all
}

func (s *script) Write(ds []fragment.Datagram, _ netip.AddrPort) (n int, err error) {
	for n < len(ds) {
		some := len(ds) - n
		if s.portion > 0 {
			some = min(some, s.portion)
		}
		if len(s.errs) > 0 {
			err := s.errs[0]
			s.errs = s.errs[1:]
			if err != nil {
				return n, os.NewSyscallError("sendmmsg", err)
			}
		}
		if s.noRoom {
			return n, syscall.EAGAIN
		}
		n += some
		s.took += some
	}
	return n, nil
}

func (s *script) WaitRoom(deadline time.Time) error {
	began := time.Now()
	time.Sleep(time.Until(deadline))
	s.waited += time.Since(began)
	return os.ErrDeadlineExceeded
}

func (s *script) Queued() int   { return s.queued }
func (s *script) Offload() bool { return true }

func testSender(t *testing.T, log io.Writer) (*Sender, *Receiver) {
	t.Helper()
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{r.LocalAddr()}, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, r
}

func frameOf(datagrams int) *stream.Frame {
	f := stream.NewFrame(make([]byte, datagrams*1408))
	f.Captured = time.Now()
	return f
}

func TestSendErrorsAreCounted(t *testing.T) {
	const datagrams, portion = 100, 64
	for name, tt := range map[string]struct {
		errs            []error
		unsent, refused uint64
		said            string
		reachable       bool // the socket is kept
		rereadMTU       bool
	}{
		"none":                             {reachable: true},
		"refused for an earlier frame":     {errs: []error{syscall.ECONNREFUSED}, refused: 1, said: "framegram view", reachable: true},
		"refused in a later batch":         {errs: []error{nil, syscall.ECONNREFUSED}, refused: 1, said: "framegram view", reachable: true},
		"nobody there":                     {errs: []error{syscall.ECONNREFUSED, syscall.ECONNREFUSED}, refused: 1, unsent: datagrams, said: "framegram view", reachable: true},
		"queue full for one datagram":      {errs: []error{syscall.ENOBUFS}, unsent: 1, said: "queue is full", reachable: true},
		"no route":                         {errs: []error{syscall.ENETUNREACH}, unsent: datagrams, said: "no way there"},
		"no route half-way":                {errs: []error{nil, syscall.ENETUNREACH}, unsent: datagrams - portion, said: "no way there"},
		"local address gone":               {errs: []error{syscall.EADDRNOTAVAIL}, unsent: datagrams, said: "no way there"},
		"larger than the path":             {errs: []error{syscall.EMSGSIZE}, unsent: datagrams, said: "smaller ones", reachable: true, rereadMTU: true},
		"firewall":                         {errs: []error{syscall.EPERM}, unsent: 1, said: "firewall", reachable: true},
		"something this program knows not": {errs: []error{syscall.EIO}, unsent: 1, said: "sending", reachable: true},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s, _ := testSender(t, &log)
			fake := &script{errs: tt.errs, portion: portion}
			d := s.dests[0]
			d.writer = fake
			for range 3 { // trouble with one frame; the next ones go out
				if err := s.Write(t.Context(), frameOf(datagrams)); err != nil {
					t.Fatalf("Write returned %v: trouble is a counter", err)
				}
				if tt.rereadMTU && s.mtuAt.IsZero() {
					tt.rereadMTU = false
				}
				d.writer = fake // the socket may have been opened again
			}
			if tt.rereadMTU {
				t.Error("the MTU is not read again")
			}
			st := s.Stats().To[0]
			lostFrames := uint64(0)
			if tt.unsent > 0 {
				lostFrames = 1
			}
			if !tt.reachable { // not tried again within a second
				lostFrames, tt.unsent = 3, tt.unsent+2*datagrams
				if st.Redials != 0 || d.conn != nil {
					t.Error("the socket was kept, or opened again within a second")
				}
			}
			if st.Unsent != tt.unsent || st.Refused != tt.refused || st.Frames != 3-lostFrames ||
				st.Datagrams != 3*datagrams-tt.unsent || int(st.Datagrams) != fake.took {
				t.Errorf("got %+v, the socket took %d; want %d unsent, %d refused", st, fake.took, tt.unsent, tt.refused)
			}
			if d.seq != 3*datagrams {
				t.Errorf("sequence stands at %d, want %d: what was not sent must count as missing", d.seq, 3*datagrams)
			}
			s.Close() // by then the log is written
			if got := log.String(); !strings.Contains(got, tt.said) || strings.Count(got, "\n") > 1 {
				t.Errorf("log is %q, want one line with %q", got, tt.said)
			}
		})
	}
}

// One that has no room gets what it can take before the next frame is due, and then its
// next whole frame when the last has left; the other gets all of them at once.
func TestSlowDestinationCostsTheOthersNothing(t *testing.T) {
	var log bytes.Buffer
	s, _ := testSender(t, &log)
	_, r := testSender(t, io.Discard)
	other := s.newDestination(r.LocalAddr(), nil)
	if err := other.dial(); err != nil {
		t.Fatal(err)
	}
	s.enlist(other)
	full := &script{noRoom: true, queued: 1000}
	slow := s.dests[0]
	slow.writer = full
	for range 3 {
		if err := s.Write(t.Context(), frameOf(3)); err != nil {
			t.Fatal(err)
		}
	}
	if most := time.Duration(float64(s.rhythm.Interval()) * 0.75); full.waited > most+time.Second { // the first frame's; the machine may be busy
		t.Errorf("it was waited for for %v, want about %v once", full.waited, most)
	}
	st := s.Stats()
	if st.Frames != 3 || st.Unsent != 0 || st.To[0].Frames != 0 || st.To[0].Unsent != 3 || st.To[0].Skipped != 2 || st.To[1].Frames != 3 {
		t.Errorf("got %+v, want all 3 frames to the other, and to the slow one 1 given up and 2 left out", st)
	}
	if slow.seq != 3 {
		t.Errorf("sequence stands at %d, want 3: frames that are left out are none of the network's losses", slow.seq)
	}
	full.noRoom, full.queued = false, 0
	s.Write(t.Context(), frameOf(3))
	if st := s.Stats(); st.To[0].Frames != 1 {
		t.Errorf("got %+v, want one frame to the destination that has room again", st.To[0])
	}
	s.Close()
	if !strings.Contains(log.String(), "too slow for this stream") {
		t.Errorf("log is %q", log.String())
	}
}

// The end of a run is no trouble of the network's, and is not called so.
func TestTheEndIsNoTrouble(t *testing.T) {
	var log bytes.Buffer
	s, _ := testSender(t, &log)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, frameOf(3)); err != nil {
		t.Error(err)
	}
	s.Close()
	if st := s.Stats(); log.Len() > 0 || s.dests[0].slow || st.Unsent != 1 || st.To[0].Unsent != 3 {
		t.Errorf("said %q; %+v", &log, st)
	}
}

// With nobody else to serve it is waited for longer: frames that are larger than its send
// buffer have to leave in parts.
func TestSoleDestinationIsWaitedFor(t *testing.T) {
	s, _ := testSender(t, io.Discard)
	full := &script{noRoom: true}
	s.dests[0].writer = full
	s.Write(t.Context(), frameOf(3))
	if full.waited < sendPatience*9/10 {
		t.Errorf("it was waited for for %v, want %v", full.waited, sendPatience)
	}
}

func TestFramesThatWentNowhereAreNotSent(t *testing.T) {
	s, _ := testSender(t, io.Discard)
	s.dests[0].writer = &script{errs: []error{syscall.ENETUNREACH}}
	s.Write(t.Context(), frameOf(3))
	if st := s.Stats(); st.Frames != 0 || st.Unsent != 1 {
		t.Errorf("got %+v, want no frame sent and one unsent", st)
	}
}

func TestUnreachableIsTriedAgain(t *testing.T) {
	s, r := testSender(t, io.Discard)
	d := s.dests[0]
	d.writer = &script{errs: []error{syscall.ENETUNREACH}}
	s.Write(t.Context(), frameOf(1))
	d.redial = time.Now() // as after a second
	if err := s.Write(t.Context(), frameOf(1)); err != nil {
		t.Fatal(err)
	}
	f, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	if st := s.Stats().To[0]; st.Redials != 1 || st.Frames != 1 {
		t.Errorf("got %+v, want one redial and one frame", st)
	}
}

func TestDatagramSizeFollowsThePath(t *testing.T) {
	for _, tt := range []struct {
		to    string
		mtu   int
		shard int
	}{
		{"127.0.0.1:9", 0, 1408}, // loopback's 65536 is not taken unasked
		{"[::1]:9", 0, 1344},
		{"127.0.0.1:9", 576, 448},
		{"127.0.0.1:9", 9000, 8896},
		{"127.0.0.1:9", 65535, fragment.MaxShard},
	} {
		s, err := NewSender(SenderConfig{To: []netip.AddrPort{netip.MustParseAddrPort(tt.to)}, MTU: tt.mtu})
		if err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Shard != tt.shard {
			t.Errorf("to %s with MTU %d: shard %d, want %d", tt.to, tt.mtu, st.Shard, tt.shard)
		}
		s.Close()
	}
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("[::1]:9")}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if st := s.Stats(); st.Shard != 1344 {
		t.Errorf("to IPv4 and IPv6: shard %d, want the smaller one, 1344", st.Shard)
	}
}

func TestDatagramsCarryTheirDSCP(t *testing.T) {
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}, DSCP: 34})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if tos, err := ipv4.NewConn(s.dests[0].conn).TOS(); err != nil || tos != 34<<2 {
		t.Errorf("TOS is %d, %v, want %d", tos, err, 34<<2)
	}
}

func TestFrameOverTheLimitIsSkipped(t *testing.T) {
	var log bytes.Buffer
	s, r := testSender(t, &log)
	large := stream.NewFrame(make([]byte, fragment.MaxFrameBytes+1))
	for range 2 {
		if err := s.Write(t.Context(), large); err != nil {
			t.Fatal(err)
		}
	}
	s.Write(t.Context(), frameOf(1))
	f, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	if st := s.Stats(); st.TooLarge != 2 || st.Frames != 1 {
		t.Errorf("got %+v, want 2 skipped and 1 sent", st)
	}
	s.Close()
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, fmt.Sprint(fragment.MaxFrameBytes)) {
		t.Errorf("log is %q, want one line with the limit", got)
	}
}

func TestWireClock(t *testing.T) {
	start := time.Now()
	c := newWireClock(start)
	if got, want := c.micros(start.Add(1500*time.Millisecond)), start.UnixMicro()+1_500_000; got != want {
		t.Errorf("with a monotonic reading: %d, want %d", got, want)
	}
	recorded := time.UnixMicro(1_600_000_000_123_456)
	if got := c.micros(recorded); got != recorded.UnixMicro() && got != recorded.UnixMicro()-1 && got != recorded.UnixMicro()+1 {
		t.Errorf("of a recording: %d, want %d", got, recorded.UnixMicro())
	}
}
