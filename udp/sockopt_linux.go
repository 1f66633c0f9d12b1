package udp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// control runs f on c's descriptor.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	return errors.Join(raw.Control(func(fd uintptr) { inner = f(int(fd)) }), inner)
}

// forbidFragments sets DF: a datagram that does not fit is refused with EMSGSIZE
// instead of being cut by IP, where one lost piece loses all (IP_MTU_DISCOVER in
// ip(7), IPV6_MTU_DISCOVER in ipv6(7)).
func forbidFragments(c *net.UDPConn, v4 bool) error {
	return control(c, func(fd int) error {
		if v4 {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
		}
		return errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1))
	})
}

// pathMTU is what the kernel knows of the path of a connected socket, in bytes of
// IP packet: the route's or the interface's MTU, or less where ICMP said so (IP_MTU).
func pathMTU(c *net.UDPConn, v4 bool) (mtu int, err error) {
	err = control(c, func(fd int) (err error) {
		if v4 {
			mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			mtu, err = unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
		return err
	})
	return mtu, err
}

// interfaceMTU is the MTU in bytes of the interface of that name (SIOCGIFMTU in
// netdevice(7)): a socket that is not connected has no path.
func interfaceMTU(c *net.UDPConn, name string) (mtu int, err error) {
	err = control(c, func(fd int) error {
		ifr, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		err = unix.IoctlIfreq(fd, unix.SIOCGIFMTU, ifr)
		mtu = int(ifr.Uint32())
		return err
	})
	return mtu, err
}

// wayMTU is the MTU in bytes of the way to a group by a link, or to a network's broadcast
// address, which needs none. Only a connected socket knows it, and that would hear no
// viewer: so one is opened to be asked, and sends nothing.
func wayMTU(to netip.AddrPort, by *link) (int, error) {
	v4 := to.Addr().Is4()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var inner error
		return firstError(raw.Control(func(fd uintptr) {
			switch {
			case by == nil:
			case v4:
				inner = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(by.Index)})
			default:
				inner = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, by.Index)
			}
		}), inner)
	}}
	c, err := d.DialUDP(context.Background(), network(v4), netip.AddrPort{}, to)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return pathMTU(c, v4)
}

// openBroadcast opens a socket whose datagrams to 255.255.255.255 leave by l
// (IP_UNICAST_IF in ip(7): in network byte order).
func openBroadcast(l *link) (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return nil, err
	}
	if err := control(conn, func(fd int) error {
		index := binary.BigEndian.AppendUint32(nil, uint32(l.Index))
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_UNICAST_IF, int(int32(binary.NativeEndian.Uint32(index)))))
	}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("broadcasting on %s: %w", l.Name, err)
	}
	return conn, nil
}

// listenShared opens a socket that shares its port with others that ask for the same,
// each of which gets a copy of all that comes (SO_REUSEADDR; SO_REUSEPORT is for one
// program's). It is bound to the group or broadcast address, so that it hears nothing
// else; net.ListenPacket would bind the wildcard. A group of one link's scope cannot be
// bound without saying the link, of which there may be several: then everything that
// comes to the port is heard, and wild is true.
func listenShared(at netip.AddrPort) (conn *net.UDPConn, wild bool, err error) {
	ip := at.Addr()
	family, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(at.Port()), Addr: as4(ip)})
	if ip.Is6() {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: ip.As16()}
		if wild = ip.IsLinkLocalMulticast() || ip.IsInterfaceLocalMulticast(); wild {
			sa = &unix.SockaddrInet6{Port: int(at.Port())}
		}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, wild, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "udp")
	defer f.Close() // FilePacketConn duplicates it
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil && ip.Is6() {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err != nil {
		return nil, wild, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, sa); err != nil {
		return nil, wild, fmt.Errorf("listening on %v: %w", at, os.NewSyscallError("bind", err))
	}
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, wild, err
	}
	return c.(*net.UDPConn), wild, nil
}

func as4(ip netip.Addr) [4]byte {
	if ip.Is4() {
		return ip.As4()
	}
	return [4]byte{}
}

// onlyJoined keeps away the groups that other programs on this machine have joined
// (IP_MULTICAST_ALL in ip(7), IPV6_MULTICAST_ALL). c may be of either family or both.
func onlyJoined(c *net.UDPConn) {
	control(c, func(fd int) error {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0) // an IPv6 socket has it too
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0)
		return nil
	})
}

// setReadBuffer asks for a receive buffer of size bytes, beyond net.core.rmem_max
// where we are allowed to, and returns what was granted. The kernel doubles what is
// asked, for its own bookkeeping, and reports the double (SO_RCVBUF in socket(7)).
func setReadBuffer(c *net.UDPConn, size int) (granted int, err error) {
	err = control(c, func(fd int) (err error) {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil { // needs CAP_NET_ADMIN
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
				return err
			}
		}
		granted, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return err
	})
	return granted / 2, err
}

// raiseBufferLimit is the command that lets setReadBuffer succeed.
const raiseBufferLimit = "sysctl -w net.core.rmem_max="

// countDrops asks for the socket's overflow counter with every datagram
// (SO_RXQ_OVFL in socket(7)).
func countDrops(c *net.UDPConn) error {
	return control(c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	})
}
