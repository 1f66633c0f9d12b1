package udp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// BenchmarkForgedHello: what one of them costs, but for the system call that reads it.
func BenchmarkForgedHello(b *testing.B) {
	b.ReportAllocs()
	now := time.Now()
	h := newHouse(16, nil, now)
	flood(b, h, now, b.N)
}

// BenchmarkListener: the same with the system calls that read it and answer every tenth.
func BenchmarkListener(b *testing.B) {
	b.ReportAllocs()
	l, err := openListener(ap("0.0.0.0:0"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.close()
	from, err := openListener(ap("127.0.0.1:0"))
	if err != nil {
		b.Fatal(err)
	}
	defer from.close()
	hello, err := (&fragment.Hello{Cookie: 1}).AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	to := netip.AddrPortFrom(ap("127.0.0.1:1").Addr(), l.addr.Port())
	h := newHouse(16, nil, time.Now())
	buf, oob, out := make([]byte, 256), make([]byte, noteSpace), make([]byte, 0, 64)
	for done := 0; done < b.N; {
		b.StopTimer()
		some := min(100, b.N-done)
		for range some {
			from.conn.WriteToUDPAddrPort(hello, to)
		}
		b.StartTimer()
		for i := range some {
			n, noted, _, addr, err := l.conn.ReadMsgUDPAddrPort(buf, oob)
			if err != nil {
				b.Fatal(err)
			}
			local := notedLocal(oob[:noted])
			if out = h.receive(unmap(addr), local, l, buf[:n], time.Now(), out[:0]); i%10 == 0 {
				l.reply(unmap(addr), local, hello[:36])
			}
		}
		done += some
	}
}
