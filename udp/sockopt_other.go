//go:build !linux

package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Without Linux's options the sizes come from the interface, and what the kernel
// drops cannot be told from what the network loses. Everything else is the same.

func forbidFragments(*net.UDPConn, bool) error { return nil }

// pathMTU is the MTU of the interface that has c's local address.
func pathMTU(c *net.UDPConn, _ bool) (int, error) {
	local := localAddr(c).Addr().WithZone("")
	interfaces, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.String() == local.String() {
				return i.MTU, nil
			}
		}
	}
	return 0, errors.ErrUnsupported
}

func interfaceMTU(_ *net.UDPConn, name string) (int, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	return i.MTU, nil
}

func wayMTU(netip.AddrPort, *link) (int, error) { return 0, errors.ErrUnsupported }

// openBroadcast chooses the interface by the local address; not every system heeds it.
func openBroadcast(l *link) (*net.UDPConn, error) {
	for _, p := range l.addrs {
		if p.Addr().Is4() {
			return net.ListenUDP("udp4", &net.UDPAddr{IP: p.Addr().AsSlice()})
		}
	}
	return nil, fmt.Errorf("broadcasting on %s: %w", l.Name, syscall.EADDRNOTAVAIL)
}

// listenShared binds the wildcard, as not every system lets one bind a group. Package
// net shares a group's port; that of a broadcast address is not shared.
func listenShared(at netip.AddrPort) (conn *net.UDPConn, wild bool, err error) {
	if at.Addr().IsMulticast() {
		c, err := (&net.ListenConfig{}).ListenPacket(context.Background(), network(at.Addr().Is4()), at.String())
		if err != nil {
			return nil, true, err
		}
		return c.(*net.UDPConn), true, nil
	}
	conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: int(at.Port())})
	return conn, true, err
}

func onlyJoined(*net.UDPConn) {}

func setReadBuffer(c *net.UDPConn, size int) (int, error) { return size, c.SetReadBuffer(size) }

const raiseBufferLimit = "sysctl -w kern.ipc.maxsockbuf="

func countDrops(*net.UDPConn) error { return errors.ErrUnsupported }
