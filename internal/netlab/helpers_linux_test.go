package netlab

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// openLink makes a link that is closed when the test ends.
func openLink(t testing.TB, text string) *Link {
	t.Helper()
	testutil.NeedRoot(t)
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		testutil.Skip(t, "%v", err)
	}
	l, err := Open(t.Context(), mustParse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// udpPair is a socket on A connected to one on B, whose buffer takes whatever comes.
func udpPair(t testing.TB, l *Link, address func(*Host) netip.Addr) (a, b *net.UDPConn) {
	t.Helper()
	if err := l.B().Do(func() (err error) {
		b, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address(l.B()), 0)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	raw, _ := b.SyscallConn()
	raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20) })
	if err := l.A().Do(func() (err error) {
		a, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(b.LocalAddr().(*net.UDPAddr).AddrPort()))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, b
}

// flood sends n datagrams of size bytes, numbered from 0, as fast as the link takes them
// in, and returns the numbers in the order in which they came out.
func flood(t testing.TB, l *Link, n, size int) []uint32 {
	t.Helper()
	a, b := udpPair(t, l, (*Host).Addr4)
	before := l.Stats().AB
	got := make(chan []uint32)
	var read atomic.Uint64
	go func() {
		var numbers []uint32
		buffer := make([]byte, 65536)
		for {
			k, err := b.Read(buffer)
			if err != nil || k < 4 {
				got <- numbers
				return
			}
			numbers = append(numbers, binary.BigEndian.Uint32(buffer))
			read.Add(1)
		}
	}()
	payload := make([]byte, size)
	for i := range n {
		binary.BigEndian.PutUint32(payload, uint32(i))
		if _, err := a.Write(payload); err != nil {
			t.Fatal(err)
		}
		for i%1000 == 999 && int(l.Stats().AB.Packets-before.Packets) < i-1000 { // the device holds more
			time.Sleep(time.Millisecond)
		}
	}
	await(t, "all packets through the link", func() bool {
		c := l.Stats().AB
		return c.Packets+c.Missed-before.Packets-before.Missed >= uint64(n) && c.Waiting == 0
	})
	// What the device has been given is in the socket: the kernel does that in the write.
	c := l.Stats().AB
	for limit := time.Now().Add(500 * time.Millisecond); read.Load() < c.Delivered-before.Delivered && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	b.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // and one that is too many
	numbers := <-got
	if c.Missed != 0 || c.Failed != 0 || c.Packets-before.Packets != uint64(n) {
		t.Fatalf("%d packets sent, %+v", n, c)
	}
	if want := c.Delivered - before.Delivered; uint64(len(numbers)) != want {
		t.Fatalf("%d datagrams received, %d delivered", len(numbers), want)
	}
	return numbers
}

func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited a minute for: %s", what)
		}
	}
}

// tcpPair is one connection from A to B.
func tcpPair(t testing.TB, l *Link) (a, b net.Conn) {
	t.Helper()
	var listener net.Listener
	if err := l.B().Do(func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(l.B().Addr4().String(), "0"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := l.A().Do(func() (err error) {
		a, err = net.DialTimeout("tcp", listener.Addr().String(), time.Minute)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	b, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a, b
}

// copyTCP sends n bytes and returns how long it took.
func copyTCP(t testing.TB, l *Link, n int) time.Duration {
	t.Helper()
	a, b := tcpPair(t, l)
	start := time.Now()
	go func() {
		chunk := make([]byte, 256<<10)
		for left := n; left > 0; {
			k, err := a.Write(chunk[:min(left, len(chunk))])
			if err != nil {
				break
			}
			left -= k
		}
		a.Close()
	}()
	if got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{b}, make([]byte, 256<<10)); err != nil || got != int64(n) {
		t.Fatalf("%d of %d bytes arrived: %v", got, n, err)
	}
	return time.Since(start)
}
