//go:build !linux

package udp

import (
	"net"
	"net/netip"
)

// narrow does nothing: the socket hears everybody, and all but peer are ignored.
func narrow(*net.UDPConn, netip.AddrPort, bool) error { return nil }
