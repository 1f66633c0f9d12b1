package tcp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// settings are what sockets are opened with.
type settings struct{ congestion string } // "" = the system's

// control is for net.Dialer and net.ListenConfig: a connection that is accepted inherits
// from its listener.
func (s settings) control(_, _ string, c syscall.RawConn) error {
	var inner error
	err := c.Control(func(fd uintptr) {
		if s.congestion != "" {
			inner = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, s.congestion)
		}
	})
	return errors.Join(err, inner)
}

// check tells whether the kernel lets us use the congestion control asked for (see
// TCP_CONGESTION in tcp(7)).
func (s settings) check() error {
	if s.congestion == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("tcp: %w", os.NewSyscallError("socket", err))
	}
	defer unix.Close(fd)
	err = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, s.congestion)
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("tcp: congestion control %q is for root only here: allowed are %s, or `sysctl -w net.ipv4.tcp_allowed_congestion_control=...`",
			s.congestion, namesIn("/proc/sys/net/ipv4/tcp_allowed_congestion_control"))
	case err != nil:
		return fmt.Errorf("tcp: congestion control %q is not available here: there are %s",
			s.congestion, namesIn("/proc/sys/net/ipv4/tcp_available_congestion_control"))
	}
	return nil
}

func namesIn(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "others (" + path + " cannot be read)"
	}
	return strings.Join(strings.Fields(string(b)), ", ")
}

// tune sets what makes c fit for live video. Go has set TCP_NODELAY.
func tune(c *net.TCPConn) error {
	return onFD(c, func(fd int) error {
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMark),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stall.Milliseconds())))
	})
}

// congestionOf is the congestion control that c uses.
func congestionOf(c *net.TCPConn) (name string) {
	onFD(c, func(fd int) (err error) {
		name, err = unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
		return err
	})
	return strings.TrimRight(name, "\x00")
}

func onFD(c *net.TCPConn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	return errors.Join(raw.Control(func(fd uintptr) { inner = f(int(fd)) }), inner)
}

// gauge reads how much waits in a connection. It is used by one goroutine.
type gauge struct {
	raw  syscall.RawConn
	ask  func(fd uintptr) // kept: a new closure for each frame would be garbage
	n    int
	path pathInfo
	err  error
	full bool // the path is asked for, too
}

func newGauge(c *net.TCPConn) (*gauge, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	g := &gauge{raw: raw}
	g.ask = g.read
	return g, nil
}

func (g *gauge) read(fd uintptr) {
	if !g.full {
		g.n, g.err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		return
	}
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if g.err = err; err == nil {
		g.path = pathInfo{rate: info.Delivery_rate, minRTT: info.Min_rtt, rtt: info.Rtt}
	}
}

// queued is how many bytes were written and are not acknowledged (SIOCOUTQ in tcp(7)).
func (g *gauge) queued() (int, error) {
	g.full = false
	if err := g.raw.Control(g.ask); err != nil {
		return 0, err
	}
	return g.n, g.err
}

// pathInfo is what the kernel has measured (TCP_INFO in tcp(7)).
func (g *gauge) pathInfo() (pathInfo, error) {
	g.full = true
	if err := g.raw.Control(g.ask); err != nil {
		return pathInfo{}, err
	}
	return g.path, g.err
}
