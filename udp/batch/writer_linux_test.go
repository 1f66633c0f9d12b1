package batch

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/fragment"
)

// rig is a Writer connected to a Reader, with a log and the system call in reach.
type rig struct {
	*Writer
	out, in *net.UDPConn
	r       *Reader
	book    *logbook
}

func newRig(t testing.TB, network, at string, cfg Config) *rig {
	t.Helper()
	g := &rig{in: listen(t, network, at), book: &logbook{}}
	g.out = dial(t, network, addr(g.in))
	cfg.Log = g.book.log()
	g.Writer, g.r = NewWriter(g.out, cfg), NewReader(g.in, cfg)
	return g
}

func (g *rig) needOffload(t testing.TB) {
	t.Helper()
	if !g.Offload() {
		t.Fatal("this kernel knows no trains: all supported ones do (Linux 4.18)")
	}
}

// before has f see every call; unless it answers, the call goes on.
func (g *rig) before(f func(ms []unix.Mmsghdr) syscall.Errno) {
	next := g.sendmmsg
	g.sendmmsg = func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
		if e := f(ms); e != 0 {
			return -1, e
		}
		return next(fd, ms)
	}
}

func setsockopt(t testing.TB, c *net.UDPConn, level, option, value int) {
	t.Helper()
	rawConn(c).Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), level, option, value); err != nil {
			t.Fatal(err)
		}
	})
}

func isTrain(m *unix.Mmsghdr) bool { return m.Hdr.Controllen > 0 }

// shape is how many datagrams each message had that went out, negative for trains.
func (g *rig) shape() *[]int {
	var all []int
	g.before(func(ms []unix.Mmsghdr) syscall.Errno {
		for i := range ms {
			n := g.counts[i]
			if isTrain(&ms[i]) {
				n = -n
			}
			all = append(all, n)
		}
		return 0
	})
	return &all
}

// What lies one behind the other in memory is one piece to the kernel, and nothing else is:
// what arrives is what was to be sent.
func TestPiecesAreJoinedWhereMemoryIs(t *testing.T) {
	wire := make([]byte, 10*1456)
	rand.NewChaCha8([32]byte{}).Read(wire)
	at := func(from, header, size int) fragment.Datagram {
		return fragment.Datagram{Header: wire[from : from+header], Payload: wire[from+header : from+size]}
	}
	var together, apart []fragment.Datagram
	for i := range 10 {
		together = append(together, at(i*1456, 48, 1456))
		apart = append(apart, at((9-i)*1456, 48, 1456))
	}
	gap := slices.Clone(together)
	gap[4].Payload = bytes.Clone(gap[4].Payload)
	for name, c := range map[string]struct {
		ds   []fragment.Datagram
		want int // pieces
	}{
		"all together":       {together, 1},
		"one":                {together[3:4], 1},
		"in another order":   {apart, 10},
		"one payload apart":  {gap, 3},
		"an empty payload":   {[]fragment.Datagram{at(0, 48, 48)}, 1},
		"the same one twice": {[]fragment.Datagram{together[0], together[0]}, 2},
	} {
		g := newRig(t, "udp4", "127.0.0.1:0", Config{})
		g.needOffload(t)
		pieces := 0
		g.before(func(ms []unix.Mmsghdr) syscall.Errno {
			for i := range ms {
				pieces += int(ms[i].Hdr.Iovlen)
			}
			return 0
		})
		writeAll(t, g.Writer, c.ds, netip.AddrPort{})
		if pieces != c.want {
			t.Errorf("%s: %d pieces, want %d", name, pieces, c.want)
		}
		same(t, receive(t, g.in, g.r, len(c.ds)), c.ds)
	}
}

func TestTrainsAreSentWhereTheyHelp(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []int
		want  []int
	}{
		"a frame of 300 kB":      {append(times(213, 1456), 200), []int{-44, -44, -44, -44, -38}}, // 44 of 1456 bytes are 64 064
		"one":                    {times(1, 1456), []int{1}},
		"all shorter and longer": {[]int{5, 6, 7}, []int{1, 1, 1}},
	} {
		g := newRig(t, "udp4", "127.0.0.1:0", Config{})
		g.needOffload(t)
		shape := g.shape()
		writeAll(t, g.Writer, numbered(0, c.sizes...), netip.AddrPort{})
		if !slices.Equal(*shape, c.want) {
			t.Errorf("%s: messages of %v datagrams (negative: trains), want %v", name, *shape, c.want)
		}
	}
	g := newRig(t, "udp4", "127.0.0.1:0", Config{NoOffload: true})
	shape := g.shape()
	writeAll(t, g.Writer, numbered(0, times(200, 1456)...), netip.AddrPort{})
	if g.Offload() || !slices.Equal(*shape, times(200, 1)) {
		t.Errorf("without offload: messages of %v datagrams", *shape)
	}
}

func TestTrainsArriveAsTrains(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	g.needOffload(t)
	calls := 0
	next := g.r.recvmmsg
	g.r.recvmmsg = func(fd uintptr, ms []unix.Mmsghdr) (n int, e syscall.Errno) {
		if n, e = next(fd, ms); e == 0 {
			calls += n
		}
		return n, e
	}
	ds := numbered(0, times(214, 1456)...)
	writeAll(t, g.Writer, ds, netip.AddrPort{})
	same(t, receive(t, g.in, g.r, len(ds)), ds)
	if calls != 5 {
		t.Errorf("5 trains came as %d messages", calls)
	}
}

// A socket that sends no checksums refuses trains with EINVAL, truly.
func TestSocketWithoutChecksumsTurnsOffloadOff(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	g.needOffload(t)
	ds := numbered(0, mixed...)
	writeAll(t, g.Writer, ds, netip.AddrPort{})
	setsockopt(t, g.out, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	more := numbered(len(ds), mixed...)
	writeAll(t, g.Writer, more, netip.AddrPort{})
	if g.Offload() || g.book.lines() != 1 {
		t.Errorf("offload is on: %v; log: %s", g.Offload(), &g.book.b)
	}
	writeAll(t, g.Writer, more, netip.AddrPort{})
	all := slices.Concat(ds, more, more)
	same(t, receive(t, g.in, g.r, len(all)), all)
	quiet(t, g.Writer, netip.AddrPort{}, g.in, g.r)
	if g.book.lines() != 1 {
		t.Errorf("said more than once: %s", &g.book.b)
	}
}

// From some train on the kernel answers as an interface does that cannot part trains.
func TestRefusedTrainsGoOnAsDatagrams(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EIO, unix.EINVAL} {
		for after := range 6 {
			g := newRig(t, "udp4", "127.0.0.1:0", Config{})
			g.needOffload(t)
			next, trains := g.sendmmsg, 0
			g.sendmmsg = func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
				for i := range ms { // one by one, as the kernel does
					if isTrain(&ms[i]) {
						if trains++; trains > after {
							if i == 0 {
								return -1, errno
							}
							trains--
							return i, 0 // the next call meets it
						}
					}
					if n, e := next(fd, ms[i:i+1]); e != 0 {
						return n, e
					}
				}
				return len(ms), 0
			}
			ds := numbered(0, append(mixed, times(300, 1472)...)...)
			writeAll(t, g.Writer, ds, netip.AddrPort{})
			writeAll(t, g.Writer, ds, netip.AddrPort{})
			same(t, receive(t, g.in, g.r, 2*len(ds)), slices.Concat(ds, ds))
			quiet(t, g.Writer, netip.AddrPort{}, g.in, g.r)
			if g.Offload() || g.book.lines() != 1 {
				t.Errorf("%v after %d trains: offload is on: %v; log: %s", errno, after, g.Offload(), &g.book.b)
			}
		}
	}
}

// An error that single datagrams meet as well does not speak against trains.
func TestOtherInvalidArgumentsKeepOffload(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	g.needOffload(t)
	broken := true
	g.before(func([]unix.Mmsghdr) syscall.Errno {
		if broken {
			return unix.EINVAL
		}
		return 0
	})
	ds := numbered(0, times(50, 1472)...)
	if n, err := g.Write(ds, netip.AddrPort{}); n != 0 || err != unix.EINVAL || !g.Offload() {
		t.Errorf("wrote %d: %v; offload is on: %v", n, err, g.Offload())
	}
	broken = false
	writeAll(t, g.Writer, ds, netip.AddrPort{})
	same(t, receive(t, g.in, g.r, len(ds)), ds)
	if g.book.lines() != 0 {
		t.Errorf("log: %s", &g.book.b)
	}
}

// Whatever errors come between, who goes on from ds[n] sends everything once.
func TestWhatTheKernelTookIsCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, cfg := range []Config{{}, {NoOffload: true}} {
		g := newRig(t, "udp4", "127.0.0.1:0", cfg)
		next := g.sendmmsg
		g.sendmmsg = func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
			if k := rng.IntN(4); k > 0 {
				return next(fd, ms[:min(k, len(ms))])
			}
			return -1, []syscall.Errno{unix.ECONNREFUSED, unix.EAGAIN, unix.ENOBUFS, unix.EPERM}[rng.IntN(4)]
		}
		ds, errs := numbered(0, mixed...), 0
		for rest := ds; len(rest) > 0; {
			n, err := g.Write(rest, netip.AddrPort{})
			if (err == nil) != (n == len(rest)) {
				t.Fatalf("wrote %d of %d: %v", n, len(rest), err)
			}
			if rest = rest[n:]; err != nil {
				errs++
			}
		}
		same(t, receive(t, g.in, g.r, len(ds)), ds)
		if errs == 0 || g.Offload() == cfg.NoOffload {
			t.Errorf("%d errors, offload is on: %v", errs, g.Offload())
		}
	}
}

// A refusal of the last datagrams is told with the next, which have not been tried then.
// (One that is met in the middle of a call is not: sendmmsg(2) tells how far it came.)
func TestRefusal(t *testing.T) {
	for _, cfg := range []Config{{}, {NoOffload: true}} {
		gone := listen(t, "udp4", "127.0.0.1:0")
		out := dial(t, "udp4", addr(gone))
		gone.Close()
		w, ds := NewWriter(out, cfg), numbered(0, times(100, 1472)...)
		writeAll(t, w, ds, netip.AddrPort{})
		if n, err := w.Write(ds, netip.AddrPort{}); n != 0 || err != syscall.ECONNREFUSED || w.Offload() == cfg.NoOffload {
			t.Errorf("wrote %d: %v; offload is on: %v", n, err, w.Offload())
		}
		in := listen(t, "udp4", addr(gone).String())
		writeAll(t, w, ds, netip.AddrPort{})
		same(t, receive(t, in, NewReader(in, cfg), len(ds)), ds)
	}
}

func TestAddressOfTheWrongFamily(t *testing.T) {
	w := NewWriter(listen(t, "udp4", "127.0.0.1:0"), Config{})
	if n, err := w.Write(numbered(0, 5), netip.MustParseAddrPort("[::1]:9")); n != 0 || err != syscall.EAFNOSUPPORT {
		t.Errorf("wrote %d: %v", n, err)
	}
}

func TestDatagramTooLongForUDP(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	ds := numbered(0, 10, 65508, 10)
	if n, err := g.Write(ds, netip.AddrPort{}); n != 1 || err != unix.EMSGSIZE || g.Offload() != NewWriter(g.out, Config{}).Offload() {
		t.Errorf("wrote %d: %v; offload is on: %v", n, err, g.Offload())
	}
	writeAll(t, g.Writer, ds[2:], netip.AddrPort{})
	same(t, receive(t, g.in, g.r, 2), slices.Concat(ds[:1], ds[2:]))
}

func TestClosedWriter(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	g.out.Close()
	if n, err := g.Write(numbered(0, 5), netip.AddrPort{}); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("wrote %d: %v", n, err)
	}
	if err := g.WaitRoom(time.Now().Add(patience)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if n := g.Queued(); n != 0 {
		t.Errorf("%d bytes queued", n)
	}
}

func TestWaitRoomWithRoomReturnsAtOnce(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	if err := g.WaitRoom(time.Now().Add(patience)); err != nil {
		t.Error(err)
	}
	if err := g.WaitRoom(time.Now().Add(-1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	if _, err := g.out.Write([]byte("x")); err != nil {
		t.Errorf("the deadline has remained: %v", err)
	}
}
