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

// sendNow sends b to an address, or where the connected socket leads.
func sendNow(c *net.UDPConn, b []byte, to netip.AddrPort) (err error) {
	if to.IsValid() {
		_, err = c.WriteToUDPAddrPort(b, to)
	} else {
		_, err = c.Write(b)
	}
	return err
}

func (l *listener) reply(to netip.AddrPort, _ netip.Addr, b []byte) error {
	_, err := l.conn.WriteToUDPAddrPort(b, to)
	return err
}
