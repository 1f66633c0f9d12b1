//go:build unix

package udp

import (
	"net"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// newBatchConn wraps c for the family of its local address.
func newBatchConn(c *net.UDPConn) batchConn {
	if localAddr(c).Addr().Is4() {
		return ipv4.NewPacketConn(c)
	}
	return ipv6.NewPacketConn(c)
}
