package batch

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func allocations(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s allocates %v times, want 0", what, n)
	}
}

// In steady state nothing allocates, on either side.
func TestNothingIsAllocated(t *testing.T) {
	for _, c := range []struct {
		name, network, at string
		cfg               Config
	}{
		{"IPv4", "udp4", "127.0.0.1:0", Config{}},
		{"IPv6", "udp6", "[::1]:0", Config{}},
		{"without offload", "udp4", "127.0.0.1:0", Config{NoOffload: true}},
	} {
		in, out := listen(t, c.network, c.at), listen(t, c.network, c.at)
		setsockopt(t, in, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
		if c.network == "udp4" {
			setsockopt(t, in, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		} else {
			setsockopt(t, in, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
		w, r, ds := NewWriter(out, c.cfg), NewReader(in, c.cfg), numbered(0, mixed...)
		tos := []netip.AddrPort{addr(in), addr(listen(t, c.network, c.at))}
		read := func(n int) {
			for n > 0 {
				ps, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				n -= len(ps)
			}
		}
		allocations(t, "writing and reading, "+c.name, func() {
			for _, to := range tos {
				writeAll(t, w, ds, to)
			}
			read(len(ds))
			w.Queued()
		})
		allocations(t, "waiting for room, "+c.name, func() {
			if err := w.WaitRoom(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
		})
	}
}
