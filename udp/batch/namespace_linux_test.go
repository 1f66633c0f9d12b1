package batch

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// inNamespace gives the calling test a network of its own, with lo up. Its thread ends
// with the test, and the network with it.
func inNamespace(t *testing.T) {
	t.Helper()
	testutil.NeedRoot(t)
	testutil.Need(t, "ip")
	runtime.LockOSThread() // for good
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	command(t, "ip link set lo up")
}

func command(t *testing.T, line string) (said string) {
	t.Helper()
	args := strings.Fields(line)
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// A full send buffer is EAGAIN, nothing waits, and nothing is lost by going on when there
// is room again.
func TestFullSendBuffer(t *testing.T) {
	inNamespace(t)
	testutil.Need(t, "tc")
	command(t, "tc qdisc add dev lo root tbf rate 80mbit burst 70kb limit 10mb")
	for _, mode := range modes {
		g := newRig(t, "udp4", "127.0.0.1:0", Config{})
		g.out.SetWriteBuffer(128 << 10)
		w, ds := newWrites(g.out, mode), numbered(0, append(times(500, 1472), 9)...)
		done := make(chan []got)
		go func() { done <- receive(t, g.in, g.r, len(ds)) }()
		full, most := 0, 0
		for rest := ds; len(rest) > 0; {
			n, err := w.Write(rest, netip.AddrPort{})
			rest = rest[n:]
			if err == nil {
				continue
			}
			if err != unix.EAGAIN {
				t.Fatal(err)
			}
			full, most = full+1, max(most, g.Queued())
			if err := w.WaitRoom(time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("at the deadline: %v", err)
			}
			if err := w.WaitRoom(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
		}
		same(t, <-done, ds)
		if full < 2 || most < 100_000 || most > 1<<20 {
			t.Errorf("%s: the buffer was full %d times, with at most %d bytes", mode, full, most)
		}
		if n := g.Queued(); n != 0 {
			t.Errorf("all has arrived, and %d bytes are queued", n)
		}
	}
}

// When the MTU falls, the datagrams are what is too long, however the kernel says it: now
// with EMSGSIZE, before Linux 6.14 with EINVAL for a train.
func TestFallenMTUKeepsOffload(t *testing.T) {
	inNamespace(t)
	for _, old := range []bool{false, true} {
		command(t, "ip link set lo mtu 1500")
		g := newRig(t, "udp4", "127.0.0.1:0", Config{})
		g.needOffload(t)
		setsockopt(t, g.out, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
		long, short := numbered(0, times(50, 1472)...), numbered(50, times(50, 1300)...)
		writeAll(t, g.Writer, long, netip.AddrPort{})
		command(t, "ip link set lo mtu 1400")
		if old {
			next := g.sendmmsg
			g.sendmmsg = func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
				n, e := next(fd, ms)
				if e == unix.EMSGSIZE && isTrain(&ms[0]) {
					e = unix.EINVAL
				}
				return n, e
			}
		}
		if n, err := g.Write(long, netip.AddrPort{}); n != 0 || err != unix.EMSGSIZE || !g.Offload() {
			t.Errorf("old kernel %v: wrote %d: %v; offload is on: %v", old, n, err, g.Offload())
		}
		shape := g.shape()
		writeAll(t, g.Writer, short, netip.AddrPort{})
		if !slices.Equal(*shape, []int{-50}) {
			t.Errorf("old kernel %v: what fits went as %v", old, *shape)
		}
		same(t, receive(t, g.in, g.r, 100), slices.Concat(long, short))
		if g.book.lines() != 0 {
			t.Errorf("log: %s", &g.book.b)
		}
	}
}

// A link-local address has a zone on both sides.
func TestZonesOfAddresses(t *testing.T) {
	inNamespace(t)
	command(t, "ip addr add fe80::77/64 dev lo nodad")
	for by := time.Now().Add(10 * time.Second); !strings.Contains(command(t, "ip -6 route show table local"), "fe80::77"); { // the kernel adds it in a moment, or later
		if time.Now().After(by) {
			t.Fatal("nothing that is sent to fe80::77 would come here")
		}
	}
	in, out := listen(t, "udp6", "[fe80::77%lo]:0"), listen(t, "udp6", "[fe80::77%lo]:0")
	w, r, ds := NewWriter(out, Config{}), NewReader(in, Config{}), numbered(0, mixed...)
	writeAll(t, w, ds, addr(in))
	all := receive(t, in, r, len(ds))
	same(t, all, ds)
	if all[0].from != addr(out) || all[0].from.Addr().Zone() != "lo" {
		t.Errorf("from %v, want %v", all[0].from, addr(out))
	}
	allocations(t, "writing to and reading from an address with a zone", func() {
		writeAll(t, w, ds[:100], addr(in))
		for n := 0; n < 100; {
			ps, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			n += len(ps)
		}
	})
}
