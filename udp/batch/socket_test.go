package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// patience is generous: a datagram that has not come by then is lost.
const patience = 10 * time.Second

// listen opens a socket with a receive buffer for all that a test sends at once.
func listen(t testing.TB, network, addr string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	grow(t, c)
	return c
}

func dial(t testing.TB, network string, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP(network, nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	grow(t, c)
	return c
}

func addr(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// numbered are datagrams of those sizes, which begin with their number as far as they
// have room and are parted into header and payload somewhere.
func numbered(first int, sizes ...int) (ds []fragment.Datagram) {
	for i, n := range sizes {
		b := bytes.Repeat([]byte{byte(first + i)}, n)
		if n >= 4 {
			binary.BigEndian.PutUint32(b, uint32(first+i))
		}
		h := min(n, (first+i)%3*24)
		ds = append(ds, fragment.Datagram{Header: b[:h], Payload: b[h:]})
	}
	return ds
}

// writes is a Writer, or what it is on other systems; reads a Reader.
type writes interface {
	Write([]fragment.Datagram, netip.AddrPort) (int, error)
	WaitRoom(time.Time) error
}

type reads interface{ Read() ([]Packet, error) }

// got is a copy of what a Read returned.
type got struct {
	b    string
	from netip.AddrPort
	to   netip.Addr
	in   int
}

// receive reads until n datagrams have come.
func receive(t testing.TB, c *net.UDPConn, r reads, n int) (all []got) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	for len(all) < n {
		ps, err := r.Read()
		if err != nil {
			t.Fatalf("after %d datagrams of %d: %v", len(all), n, err)
		}
		for _, p := range ps {
			all = append(all, got{string(p.B), p.From, p.To, p.Interface})
		}
	}
	return all
}

// same fails unless exactly ds came, in order.
func same(t testing.TB, all []got, ds []fragment.Datagram) {
	t.Helper()
	if len(all) != len(ds) {
		t.Fatalf("got %d datagrams, want %d", len(all), len(ds))
	}
	for i, d := range ds {
		if want := string(d.Header) + string(d.Payload); all[i].b != want {
			t.Fatalf("datagram %d: got %d bytes % x…, want %d bytes % x…", i, len(all[i].b), head(all[i].b), len(want), head(want))
		}
	}
}

func head(s string) string { return s[:min(len(s), 8)] }

// quiet fails if anything else arrives: what is sent now must be the next.
func quiet(t testing.TB, w writes, to netip.AddrPort, c *net.UDPConn, r reads) {
	t.Helper()
	last := numbered(999_999, 77)
	writeAll(t, w, last, to)
	same(t, receive(t, c, r, 1), last)
}

// writeAll writes what must go at once: nothing here fills a send buffer. Other systems'
// Writer cannot tell that from a machine that is slow.
func writeAll(t testing.TB, w writes, ds []fragment.Datagram, to netip.AddrPort) {
	t.Helper()
	n, err := w.Write(ds, to)
	if _, other := w.(*singleWriter); other {
		for more := 0; err == syscall.EAGAIN; n += more {
			more, err = w.Write(ds[n:], to)
		}
	}
	if n != len(ds) || err != nil {
		t.Fatalf("wrote %d of %d datagrams: %v", n, len(ds), err)
	}
}

// logbook is a log that a test can read.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logbook) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte("\n"))
}

func (l *logbook) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

var mixed = func() (sizes []int) {
	for _, s := range [][]int{times(100, 1472), {9000, 5, 5, 5, 6, 1, 0, 0, 1}, times(90, 112), {1472}, times(44, 1472), {3, 40_000, 30_000}, times(3, 1456)} {
		sizes = append(sizes, s...)
	}
	return sizes
}()

// Whatever of the two sides uses trains, and whatever address the socket has, all
// datagrams arrive, in order, as they were and from whom they were.
func TestDatagramsArriveAsTheyWere(t *testing.T) {
	for _, c := range []struct{ network, at, to string }{
		{"udp4", "127.0.0.1:0", "127.0.0.1"}, {"udp6", "[::1]:0", "::1"}, {"udp", "[::]:0", "127.0.0.1"}, {"udp", "[::]:0", "::1"},
	} {
		for mode := range 18 {
			writer, reader, connected := modes[mode%3], modes[mode/3%3], mode/9 > 0
			t.Run(fmt.Sprintf("%s to %s, writer %s, reader %s, connected %v", c.at, c.to, writer, reader, connected), func(t *testing.T) {
				in := listen(t, c.network, c.at)
				there := netip.AddrPortFrom(netip.MustParseAddr(c.to), addr(in).Port())
				to := there
				var out *net.UDPConn
				if connected {
					out, to = dial(t, "udp", there), netip.AddrPort{}
				} else {
					out = listen(t, c.network, c.at)
				}
				want := netip.AddrPortFrom(there.Addr(), addr(out).Port())
				w, r, ds := newWrites(out, writer), newReads(in, reader), numbered(0, mixed...)
				writeAll(t, w, ds, to)
				all := receive(t, in, r, len(ds))
				same(t, all, ds)
				for i, g := range all {
					if g.from != want || g.to.IsValid() || g.in != 0 {
						t.Fatalf("datagram %d is from %v to %v by %d, want from %v, and nothing said of the rest", i, g.from, g.to, g.in, want)
					}
				}
				quiet(t, w, to, in, r)
			})
		}
	}
}

var modes = [...]string{"with trains", "without trains", "of other systems"}

func newWrites(c *net.UDPConn, mode string) writes {
	if mode == "of other systems" {
		return &singleWriter{conn: c}
	}
	return NewWriter(c, Config{NoOffload: mode == "without trains"})
}

func newReads(c *net.UDPConn, mode string) reads {
	if mode == "of other systems" {
		r := newSingleReader(c)
		return &r
	}
	return NewReader(c, Config{NoOffload: mode == "without trains"})
}
