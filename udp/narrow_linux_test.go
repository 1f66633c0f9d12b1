package udp

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// A socket that is narrowed again and again has one port all the time, and hears but
// who it is narrowed to.
func TestNarrowKeepsThePort(t *testing.T) {
	peers := make([]*net.UDPConn, 2)
	for i := range peers {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, byte(1+i))})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		peers[i] = c
	}
	for _, family := range []string{"udp", "udp4"} {
		c, err := net.ListenUDP(family, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		port, buf := localAddr(c).Port(), make([]byte, 64)
		for i := range 6 {
			peer := peers[i/2%2]
			if err := narrow(c, localAddr(peer), i > 0); err != nil {
				t.Fatal(err)
			}
			to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
			peers[1-i/2%2].WriteToUDP([]byte("stranger"), to)
			if _, err := c.WriteToUDPAddrPort([]byte("hello"), localAddr(peer)); err != nil {
				t.Fatal(err)
			}
			peer.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, from, err := peer.ReadFromUDPAddrPort(buf)
			if err != nil {
				t.Fatal(err)
			}
			if from.Port() != port {
				t.Fatalf("%s, connected for the %d. time: the port is %d, and was %d", family, i+1, from.Port(), port)
			}
			peer.WriteToUDPAddrPort([]byte("answer"), from)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, who, err := c.ReadFromUDPAddrPort(buf)
			if err != nil || string(buf[:n]) != "answer" || unmap(who) != localAddr(peer) {
				t.Fatalf("%s: heard %q of %v, %v; want the answer of %v", family, buf[:n], who, err, localAddr(peer))
			}
		}
	}
}

// A socket of IPv4 is not connected to 0.0.0.0, which is this machine, in place of an IPv6 peer.
func TestNarrowKeepsFamiliesApart(t *testing.T) {
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := narrow(c, netip.MustParseAddrPort("[::1]:5600"), false); !errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Errorf("got %v, want %v", err, syscall.EAFNOSUPPORT)
	}
	if err := narrow(c, netip.MustParseAddrPort("[::ffff:127.0.0.1]:5600"), false); err != nil {
		t.Error(err)
	}
	if err := control(c, func(fd int) error {
		if peer, err := syscall.Getpeername(fd); err != nil || peer.(*syscall.SockaddrInet4).Addr != [4]byte{127, 0, 0, 1} {
			t.Errorf("connected to %+v, %v, want 127.0.0.1", peer, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
