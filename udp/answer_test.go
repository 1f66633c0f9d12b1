package udp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// FuzzAnswer: whatever comes to a destination's or a listener's socket is answered by
// nothing longer, and by a destination's by pongs alone.
func FuzzAnswer(f *testing.F) {
	now := time.Now()
	for _, m := range []interface {
		AppendBinary([]byte) ([]byte, error)
	}{&fragment.Ping{ID: 1}, &fragment.Pong{}, &fragment.Hello{}, &fragment.Bye{}, &fragment.Challenge{}, &fragment.Refuse{}, &fragment.Report{Of: 1}, &fragment.Repair{Of: 1, Missing: []fragment.Missing{{Block: 3}}}} {
		b, err := m.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(append(b, 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), readSize)] // as they are read
		var v viewers
		v.expect(1, "group", netip.AddrPort{}, false, now)
		for _, h := range []*house{nil, newHouse(1, nil, now)} {
			r := reader{clock: newWireClock(now), session: 1, viewers: &v, house: h, resends: &resender{on: true}}
			own := onesOwn{pongs: budget{rate: 1}}
			for range 2 {
				out := r.take(nil, b, ap("10.0.0.1:1"), ourAddr, now, &own)
				if len(out) > len(b) {
					t.Fatalf("% x is answered by % x", b, out)
				}
				var pong fragment.Pong
				if len(out) > 0 && h == nil && pong.Parse(out) != nil {
					t.Fatalf("a destination answers % x by % x", b, out)
				}
			}
			if r.pongs.Load() > 1 || r.pongs.Load() > r.pings.Load() {
				t.Fatalf("%d pings, %d pongs, of which one was allowed", r.pings.Load(), r.pongs.Load())
			}
		}
	})
}

// Reading costs no allocation, whatever the kernel notes on each datagram.
func TestReadingDoesNotAllocate(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		l, err := openListener(netip.MustParseAddrPort(listen))
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		from, err := openListener(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		defer from.close()
		h := newHouse(1, nil, time.Now())
		hello, _ := (&fragment.Hello{Cookie: 1}).AppendBinary(nil)
		buf, oob := make([]byte, 256), make([]byte, noteSpace)
		out := make([]byte, 0, 64)
		to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.addr.Port())
		if n := testing.AllocsPerRun(100, func() {
			from.conn.WriteToUDPAddrPort(hello, to)
			n, noted, _, addr, err := l.conn.ReadMsgUDPAddrPort(buf, oob)
			if err != nil {
				t.Error(err)
			}
			local := notedLocal(oob[:noted])
			out = h.receive(unmap(addr), local, l, buf[:n], time.Now(), out[:0])
			if len(out) == 0 || l.addr.Addr().IsUnspecified() && len(oob) > 0 && local != to.Addr() {
				t.Errorf("%s: a hello to %v from %v is answered by % x", listen, local, addr, out)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for a hello", listen, n)
		}
	}
}
