package batch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/fragment"
)

// The kernel glues datagrams of one sender only; two that alternate keep their order and
// their names.
func TestTwoSenders(t *testing.T) {
	in := listen(t, "udp4", "127.0.0.1:0")
	a, b := dial(t, "udp4", addr(in)), dial(t, "udp4", addr(in))
	wa, wb, r := NewWriter(a, Config{}), NewWriter(b, Config{}), NewReader(in, Config{})
	var wantA, wantB []fragment.Datagram
	for i := range 20 {
		da, db := numbered(1000*i, times(i, 1472)...), numbered(500+1000*i, times(20-i, 1472)...)
		writeAll(t, wa, da, netip.AddrPort{})
		writeAll(t, wb, db, netip.AddrPort{})
		wantA, wantB = append(wantA, da...), append(wantB, db...)
	}
	var gotA, gotB []got
	for _, g := range receive(t, in, r, len(wantA)+len(wantB)) {
		switch g.from {
		case addr(a):
			gotA = append(gotA, g)
		case addr(b):
			gotB = append(gotB, g)
		default:
			t.Fatalf("from %v", g.from)
		}
	}
	same(t, gotA, wantA)
	same(t, gotB, wantB)
}

// Trains reach all members of a group and all who hear a broadcast, readers without
// trains too.
func TestManyReaders(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	group := netip.MustParseAddr("239.77.1.2")
	first := shared(t, "0.0.0.0:0")
	port := addr(first).Port()
	ins := []*net.UDPConn{first, shared(t, fmt.Sprint("0.0.0.0:", port)), shared(t, fmt.Sprint("0.0.0.0:", port))}
	var rs []*Reader
	for i, in := range ins {
		if err := ipv4.NewPacketConn(in).JoinGroup(lo, &net.UDPAddr{IP: group.AsSlice()}); err != nil {
			t.Fatal(err)
		}
		rs = append(rs, NewReader(in, Config{NoOffload: i == 1}))
	}
	out := listen(t, "udp4", "127.0.0.1:0")
	if err := ipv4.NewPacketConn(out).SetMulticastInterface(lo); err != nil {
		t.Fatal(err)
	}
	w, ds := NewWriter(out, Config{}), numbered(0, mixed...)
	for _, to := range []netip.Addr{group, netip.MustParseAddr("127.255.255.255")} {
		writeAll(t, w, ds, netip.AddrPortFrom(to, port))
		for i, in := range ins {
			all := receive(t, in, rs[i], len(ds))
			same(t, all, ds)
			if all[0].from != addr(out) {
				t.Errorf("from %v, want %v", all[0].from, addr(out))
			}
		}
	}
	if !w.Offload() {
		t.Error("offload is off")
	}
}

// shared opens a socket whose port others may have, too.
func shared(t *testing.T, at string) *net.UDPConn {
	t.Helper()
	lc := net.ListenConfig{Control: reuse}
	c, err := lc.ListenPacket(t.Context(), "udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	grow(t, c.(*net.UDPConn))
	return c.(*net.UDPConn)
}

func TestDestinationsAreTold(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ network, at, to string }{
		{"udp4", "0.0.0.0:0", "127.0.0.1"}, {"udp4", "0.0.0.0:0", "127.9.9.9"}, {"udp6", "[::]:0", "::1"}, {"udp", "[::]:0", "127.9.9.9"},
	} {
		for _, mode := range modes {
			in := listen(t, c.network, c.at)
			if c.network == "udp4" {
				setsockopt(t, in, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			} else {
				setsockopt(t, in, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
			}
			setsockopt(t, in, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
			setsockopt(t, in, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) // a note that is not for us
			to := netip.AddrPortFrom(netip.MustParseAddr(c.to), addr(in).Port())
			w, r, ds := NewWriter(dial(t, "udp", to), Config{}), newReads(in, mode), numbered(0, mixed...)
			writeAll(t, w, ds, netip.AddrPort{})
			all := receive(t, in, r, len(ds))
			same(t, all, ds)
			for _, g := range all {
				if g.to != to.Addr() || g.in != lo.Index {
					t.Fatalf("%+v: to %v by %d, want %v by %d", c, g.to, g.in, to.Addr(), lo.Index)
				}
			}
		}
	}
}

// What the kernel drops for want of room is told with the next datagram; a train is one.
func TestDropsAreTold(t *testing.T) {
	for _, cfg := range []Config{{}, {NoOffload: true}} {
		in := listen(t, "udp4", "127.0.0.1:0")
		w, r := NewWriter(dial(t, "udp4", addr(in)), cfg), NewReader(in, cfg)
		writeAll(t, w, numbered(0, 5), netip.AddrPort{})
		receive(t, in, r, 1)
		if n, ok := r.Drops(); ok {
			t.Errorf("not asked, and %d were told", n)
		}
		setsockopt(t, in, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
		in.SetReadBuffer(50_000) // too small for what follows
		const sent = 40 * 44
		writeAll(t, w, numbered(0, times(sent, 1472)...), netip.AddrPort{})
		came := 0
		in.SetReadDeadline(time.Now().Add(patience))
		for last := false; !last; {
			writeAll(t, w, numbered(0, 77), netip.AddrPort{})
			ps, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range ps {
				if len(p.B) == 77 {
					last = true
				} else {
					came++
				}
			}
		}
		n, ok := r.Drops()
		want := sent - came
		if !cfg.NoOffload {
			want /= 44
		}
		if !ok || want == 0 || int(n) != want {
			t.Errorf("offload %v: %d of %d came, and %d drops were told, want %d", !cfg.NoOffload, came, sent, n, want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	in := listen(t, "udp4", "127.0.0.1:0")
	r := NewReader(in, Config{})
	for range 2 {
		in.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := r.Read(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("at the deadline: %v", err)
		}
	}
	w, ds := NewWriter(dial(t, "udp4", addr(in)), Config{}), numbered(0, mixed...)
	writeAll(t, w, ds, netip.AddrPort{})
	same(t, receive(t, in, r, len(ds)), ds) // it goes on
	ended := make(chan error)
	in.SetReadDeadline(time.Time{})
	go func() {
		_, err := r.Read()
		ended <- err
	}()
	in.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := r.Read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A refusal reaches who reads, too; then reading goes on.
func TestReadOfRefusal(t *testing.T) {
	gone := listen(t, "udp4", "127.0.0.1:0")
	c := dial(t, "udp4", addr(gone))
	gone.Close()
	r := NewReader(c, Config{})
	c.Write([]byte("x"))
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := r.Read(); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	back := listen(t, "udp4", addr(gone).String())
	ds := numbered(0, mixed...)
	writeAll(t, NewWriter(back, Config{}), ds, addr(c))
	same(t, receive(t, c, r, len(ds)), ds)
}

// Packets are borrowed until the next Read, which uses every buffer anew.
func TestReadsFollowEachOther(t *testing.T) {
	g := newRig(t, "udp4", "127.0.0.1:0", Config{})
	for i := range 200 {
		ds := numbered(i, slices.Concat(times(i%50, 1472), times(i%7, 30), []int{1})...)
		writeAll(t, g.Writer, ds, netip.AddrPort{})
		same(t, receive(t, g.in, g.r, len(ds)), ds)
	}
}
