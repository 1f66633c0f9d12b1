//go:build !linux

package udp

import (
	"errors"
	"net"
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

func setReadBuffer(c *net.UDPConn, size int) (int, error) { return size, c.SetReadBuffer(size) }

const raiseBufferLimit = "sysctl -w kern.ipc.maxsockbuf="

func countDrops(*net.UDPConn) error { return errors.ErrUnsupported }

var dropsSpace = 0

func drops([]byte) (uint32, bool) { return 0, false }
