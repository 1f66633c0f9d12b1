//go:build !linux

package udp

import (
	"net"
	"net/netip"
)

// Without Linux's options answers, and frames, come from the address that the routes
// say: where a machine has several, the listener is to be bound to one of them.

func admitGuests(*net.UDPConn, netip.Addr) error { return nil }

var noteSpace = 0

func notedLocal([]byte) netip.Addr { return netip.Addr{} }

func (l *listener) reply(to netip.AddrPort, _ netip.Addr, b []byte) error {
	_, err := l.conn.WriteToUDPAddrPort(b, to)
	return err
}
