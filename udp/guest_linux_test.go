package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// listenFor opens a listener for a test.
func listenFor(t *testing.T, at string) *listener {
	t.Helper()
	l, err := openListener(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

// socket opens one on an address of this machine.
func socket(t *testing.T, ip string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// read is what comes to c next, and from where.
func read(t *testing.T, c *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 2000)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), unmap(from)
}

// A datagram of a guest comes to its own socket, and everybody else's to the listener,
// whatever address that is bound to; what the guest's socket sends comes from there.
func TestDatagramsComeToTheRightSocket(t *testing.T) {
	for _, tt := range []struct{ listen, asked, from string }{
		{"127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.2", "127.0.0.3"},
		{"[::1]:0", "::1", "::1"},
		{"[::]:0", "::1", "::1"},
		{"[::]:0", "127.0.0.2", "127.0.0.1"},
	} {
		t.Run(tt.listen+" asked as "+tt.asked, func(t *testing.T) {
			l := listenFor(t, tt.listen)
			asked := netip.AddrPortFrom(netip.MustParseAddr(tt.asked), l.addr.Port())
			var viewers, guests []*net.UDPConn
			for range 20 {
				v := socket(t, tt.from)
				g, shared, err := openGuest(l, asked.Addr(), localAddr(v))
				if err != nil || shared {
					t.Fatal(shared, err)
				}
				t.Cleanup(func() { g.Close() })
				viewers, guests = append(viewers, v), append(guests, g)
			}
			stranger := socket(t, tt.from)
			for i, v := range viewers {
				fmt.Fprintf(writesTo{stranger, asked}, "stranger %d", i)
				fmt.Fprintf(writesTo{v, asked}, "viewer %d", i)
				if got, from := read(t, l.conn); got != fmt.Sprintf("stranger %d", i) || from != localAddr(stranger) {
					t.Errorf("the listener got %q from %v", got, from)
				}
				if got, from := read(t, guests[i]); got != fmt.Sprintf("viewer %d", i) || from != localAddr(v) {
					t.Errorf("guest %d's socket got %q from %v", i, got, from)
				}
				fmt.Fprintf(guests[i], "frame %d", i)
				if got, from := read(t, v); got != fmt.Sprintf("frame %d", i) || from != asked {
					t.Errorf("viewer %d got %q from %v, want it from %v", i, got, from, asked)
				}
			}
			guests[7].Close()
			fmt.Fprint(writesTo{viewers[7], asked}, "again")
			if got, from := read(t, l.conn); got != "again" || from != localAddr(viewers[7]) {
				t.Errorf("after its socket was closed the listener got %q from %v", got, from)
			}
		})
	}
}

// writesTo writes to an address.
type writesTo struct {
	c  *net.UDPConn
	to netip.AddrPort
}

func (s writesTo) Write(b []byte) (int, error) { return s.c.WriteToUDPAddrPort(b, s.to) }

// A port in use is refused to a second sender, also when guests' sockets share it.
func TestSecondListenerIsRefused(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		l := listenFor(t, at)
		for range 2 {
			for _, other := range []netip.AddrPort{l.addr, netip.AddrPortFrom(netip.IPv6Unspecified(), l.addr.Port())} {
				second, err := openListener(other)
				if !errors.Is(err, syscall.EADDRINUSE) {
					t.Errorf("a second listener on %v beside one on %v: %v", other, l.addr, err)
				}
				if err == nil {
					second.close()
				}
			}
			local, viewer := netip.MustParseAddr("127.0.0.1"), "127.0.0.1"
			if at == "[::1]:0" {
				local, viewer = netip.IPv6Loopback(), "::1"
			}
			g, _, err := openGuest(l, local, localAddr(socket(t, viewer)))
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
		}
	}
}

// What is refused at one guest's is told to that guest's socket, and nobody else's.
func TestRefusalIsOneGuests(t *testing.T) {
	l := listenFor(t, "0.0.0.0:0")
	here := netip.MustParseAddr("127.0.0.1")
	dead, alive := socket(t, "127.0.0.1"), socket(t, "127.0.0.1")
	var guests []*net.UDPConn
	for _, v := range []*net.UDPConn{dead, alive} {
		g, _, err := openGuest(l, here, localAddr(v))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		guests = append(guests, g)
	}
	dead.Close()
	guests[0].Write([]byte("x"))
	eventually(t, "a refusal", func() bool {
		_, err := guests[0].Write([]byte("x"))
		return isRefused(err)
	})
	for range 100 {
		if _, err := guests[1].Write([]byte("x")); err != nil {
			t.Fatalf("a guest pays for the other: %v", err)
		}
	}
	if err := l.reply(localAddr(alive), here, []byte("listener")); err != nil {
		t.Errorf("the listener pays for a guest: %v", err)
	}
}

// An answer comes from the address that was asked, of a machine that has several.
func TestAnswersComeFromTheAddressAsked(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan", 1)
	ipCommand(t, "addr add 10.1.0.2/24 dev lan")
	ipCommand(t, "addr add fd77:1::2/64 dev lan nodad")
	lan, err := net.InterfaceByName("lan")
	if err != nil {
		t.Fatal(err)
	}
	var linkLocal netip.Addr
	eventually(t, "an address of the link", func() bool {
		all, _ := lan.Addrs()
		for _, a := range all {
			if ip, _ := netip.AddrFromSlice(a.(*net.IPNet).IP); ip.IsLinkLocalUnicast() && ip.Is6() {
				linkLocal = ip.WithZone("lan")
			}
		}
		return linkLocal.IsValid()
	})
	for _, listen := range []string{"[::]:5601", "0.0.0.0:5602", "10.1.0.2:5603", "[fd77:1::2]:5604", "[" + linkLocal.String() + "]:5605"} {
		c := newCounter(t, listen, 16, nil)
		for _, ask := range []string{"127.0.0.1", "127.0.0.9", "10.1.0.1", "10.1.0.2", "::1", "fd77:1::1", "fd77:1::2", linkLocal.String()} {
			at := netip.AddrPortFrom(netip.MustParseAddr(ask), c.l.addr.Port())
			if bound := c.l.addr.Addr(); bound != at.Addr() && (!bound.IsUnspecified() || bound.Is4() && !at.Addr().Is4()) {
				continue
			}
			from := "::"
			if at.Addr().Is4() {
				from = "0.0.0.0"
			}
			v := newVisitor(t, from, at)
			g := v.join(c)
			conn, _, err := openGuest(g.at, g.local, g.addr)
			if err != nil {
				t.Fatalf("%s asked as %s: %v", listen, ask, err)
			}
			fmt.Fprint(conn, "frame")
			eventually(t, "the frame from there", func() bool { return string(v.hear(time.Second)) == "frame" }) // hear checks from where
			conn.Close()
		}
	}
}
