package udp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// poke sends datagrams to a receiver from a socket of its own.
func poke(t *testing.T, to netip.AddrPort, datagrams ...[]byte) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, d := range datagrams {
		if _, err := c.Write(d); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually polls for what another goroutine is about to do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

func TestReadLoopOutlivesDatagrams(t *testing.T) {
	var log bytes.Buffer
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	newer := make([]byte, 48)
	copy(newer, "FG\x21")
	ping := append([]byte("FG\x17\x00"), make([]byte, 60)...)
	poke(t, r.LocalAddr(), nil, []byte("x"), newer, newer, ping, bytes.Repeat([]byte("noise"), 4000), []byte("FG\x11"))
	eventually(t, "7 datagrams read", func() bool { return r.Stats().Datagrams == 7 })
	st := r.Stats()
	if d := st.Fragments.Dropped; d.OtherVersion != 2 || d.Malformed != 4 || st.Control != 1 || st.Datagrams != st.Control+st.Fragments.Received {
		t.Errorf("got %+v", st)
	}
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{r.LocalAddr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Write(t.Context(), frameOf(3))
	f, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	r.Close()
	if got := log.String(); strings.Count(got, "its_version=2 our_version=1") != 1 {
		t.Errorf("log is %q, want both versions said once", got)
	}
}

func TestKernelDropsAreToldApart(t *testing.T) {
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0"), ReadBuffer: 1 << 16, NoOffload: true}) // a dropped train would count once
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if errors.Is(countDrops(r.conn), errors.ErrUnsupported) {
		testutil.Skip(t, "this system does not tell what it drops")
	}
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{r.LocalAddr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Write(t.Context(), frameOf(1))
	eventually(t, "the first frame", func() bool { return r.Stats().Fragments.Complete == 1 })
	r.mu.Lock() // the reader is kept from its work
	for range 10 {
		s.Write(t.Context(), frameOf(100))
	}
	r.mu.Unlock()
	eventually(t, "what was not dropped", func() bool {
		s.Write(t.Context(), frameOf(1)) // carries the counter
		return r.Stats().KernelDrops > 0
	})
	eventually(t, "the counts to meet", func() bool {
		s.Write(t.Context(), frameOf(1)) // in case one of the last was dropped, too
		st, to := r.Stats(), s.Stats().To[0]
		// Nothing else was lost, but for what the machine was too busy to send. An answer to a ping may be among what
		// was dropped; it is no fragment.
		missing := st.Fragments.Missing
		return missing <= st.KernelDrops+to.Unsent && st.KernelDrops+to.Unsent <= missing+to.Pongs
	})
}

func TestReceiveBufferIsReadBack(t *testing.T) {
	var log bytes.Buffer
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0"), ReadBuffer: 1 << 17, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Stats().ReadBuffer; got != 1<<17 {
		t.Errorf("granted %d, want %d", got, 1<<17)
	}
	r.scribe.finish()
	if log.Len() > 0 {
		t.Errorf("log is %q, want nothing: all was granted", log.String())
	}
	r.Close()
	r.growBuffer(1 << 20) // nothing is granted on a closed socket
	r.scribe.finish()
	if got := log.String(); !strings.Contains(got, "wanted_bytes=1048576 granted_bytes=0") || !strings.Contains(got, raiseBufferLimit+"1048576") {
		t.Errorf("log is %q, want both numbers and the command", got)
	}
}

func TestDualStack(t *testing.T) {
	r, err := Listen(ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.LocalAddr().Port())
	s, err := NewSender(SenderConfig{To: []netip.AddrPort{to}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Write(t.Context(), frameOf(2))
	f, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	if from := r.Stats().From; !strings.HasPrefix(from, "127.0.0.1:") {
		t.Errorf("followed %q, want an IPv4 address", from)
	}
}

func TestListenErrors(t *testing.T) {
	r, err := Listen(ReceiverConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := Listen(ReceiverConfig{Listen: r.LocalAddr()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same address again: %v, want EADDRINUSE", err)
	}
}

func TestCloseEndsNext(t *testing.T) {
	r, err := Listen(ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := r.Next(context.Background())
		ended <- err
	}()
	r.Close()
	r.Close()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("Next returned %v, want io.EOF", err)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("Next afterwards returned %v, want io.EOF", err)
	}
}
