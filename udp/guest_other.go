//go:build !linux

package udp

import (
	"net"
	"net/netip"
)

// guestsShareSockets says that guests are sent to by the listener's socket.
const guestsShareSockets = true

// openGuest gives the listener's socket for all guests: which of several sockets of one
// port gets a datagram differs from system to system. It is neither to be closed nor to be
// read by who asked for it.
func openGuest(l *listener, _ netip.Addr, _ netip.AddrPort) (conn *net.UDPConn, shared bool, err error) {
	return l.conn, true, nil
}
