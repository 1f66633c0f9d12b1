package tcp

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is asked for is what connections use, on both sides and whoever dials; what there
// is not is an error that tells what there is.
func TestCongestionControl(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(b)) {
		s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, Congestion: name})
		r := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String(), Congestion: name})
		awaitViewers(t, s, 1)
		if err := s.Write(t.Context(), newFrame([]byte("jpeg"))); err != nil {
			t.Fatal(err)
		}
		next(t, r).Release()
		if got := s.Stats().Viewers[0].Congestion; got != name {
			t.Errorf("the sender uses %q, want %q", got, name)
		}
		if got := r.Stats().Congestion; got != name {
			t.Errorf("the viewer uses %q, want %q", got, name)
		}
	}
	_, err = NewSender(SenderConfig{Listen: []netip.AddrPort{loopback}, Congestion: "no-such"})
	if err == nil || !strings.Contains(err.Error(), "reno") {
		t.Errorf("got %v, want what is available", err)
	}
}

// The options are really set, also on connections that were accepted over IPv6 from IPv4.
func TestSocketOptions(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}, DSCP: 34})
	for i, host := range []string{"127.0.0.1", "::1"} {
		newReceiver(t, ReceiverConfig{From: netip.AddrPortFrom(netip.MustParseAddr(host), s.LocalAddrs()[0].Port()).String()})
		awaitViewers(t, s, i+1)
		s.mu.Lock()
		conn := s.viewers[i].peer.conn
		s.mu.Unlock()
		level, tos := unix.IPPROTO_IP, unix.IP_TOS
		if host == "::1" {
			level, tos = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
		}
		for _, o := range []struct{ level, option, want int }{
			{level, tos, 34 << 2},
			{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
			{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMark},
			{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 5000},
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		} {
			if got := option(t, conn, o.level, o.option); got != o.want {
				t.Errorf("%s: option %d of level %d is %d, want %d", host, o.option, o.level, got, o.want)
			}
		}
	}
}

func option(t *testing.T, c *net.TCPConn, level, name int) (value int) {
	t.Helper()
	err := onFD(c, func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
