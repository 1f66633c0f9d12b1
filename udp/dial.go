package udp

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/udp/batch"
)

// A destination's socket is connected when the destination is one machine, so that
// the kernel knows the path's MTU and tells of refusals. To many it is not: connected
// to a group it would hear nobody, and viewers ping it from addresses of their own. A
// subscriber's is bound to the port that it asked at (see openGuest).

// dial opens the socket, and starts to answer what comes to it.
func (d *destination) dial() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	conn, err := d.open()
	if err != nil {
		return err
	}
	if err := forbidFragments(conn, d.v4()); err != nil {
		d.hangUp(conn)
		return fmt.Errorf("forbidding IP fragments to %s: %w", d.name(), err)
	}
	if err := mark(conn, d.v4(), d.dscp<<2); err != nil && !d.unmarked { // the lower two bits are ECN's (RFC 3168)
		d.unmarked = true
		d.sorry.warn("datagrams go out without their DSCP", slog.String("to", d.name()), slog.Int("dscp", d.dscp), slog.Any("error", err))
	}
	conn.SetWriteBuffer(sendBuffer) // less is granted without an error, and only costs waiting
	d.conn, d.writer, d.lane = conn, batch.NewWriter(conn, d.batch), nil
	if !d.shared {
		d.reader.start(conn, d.many)
	}
	return nil
}

// hangUp closes a socket that is d's alone.
func (d *destination) hangUp(conn *net.UDPConn) {
	if !d.shared {
		conn.Close()
	}
}

func (d *destination) open() (*net.UDPConn, error) {
	d.many, d.to, d.shared = d.link != nil, netip.AddrPort{}, false
	switch ip := d.addr.Addr(); {
	case d.guest != nil:
		conn, shared, err := openGuest(d.guest.at, d.guest.local, d.addr)
		if d.shared = shared; shared {
			d.to = d.addr
		}
		return conn, err
	case ip.IsMulticast():
		return d.openGroup()
	case ip == limitedBroadcast:
		d.to = d.addr
		return openBroadcast(d.link)
	case ip.Is4():
		all, err := links()
		if err != nil {
			break // what is left is the ordinary case
		}
		if l := broadcastLink(all, ip); l != nil {
			d.many, d.to, d.stats.Interface = true, d.addr, l.Name
			return net.ListenUDP("udp4", nil) // SO_BROADCAST is on in every UDP socket of Go's
		}
		d.stats.Interface = ""
	}
	return net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(numbered(d.addr)))
}

// openGroup opens a socket whose datagrams leave by d.link alone, with copies to the
// viewers on this machine.
func (d *destination) openGroup() (*net.UDPConn, error) {
	// The interface says where to; a zone, looked up by name, could name its predecessor.
	d.to = netip.AddrPortFrom(d.addr.Addr().WithZone(""), d.addr.Port())
	conn, err := net.ListenUDP(network(d.v4()), nil)
	if err != nil {
		return nil, err
	}
	if d.v4() {
		p := ipv4.NewPacketConn(conn)
		err = firstError(p.SetMulticastInterface(&d.link.Interface), p.SetMulticastTTL(d.ttl), p.SetMulticastLoopback(true))
	} else {
		p := ipv6.NewPacketConn(conn)
		err = firstError(p.SetMulticastInterface(&d.link.Interface), p.SetMulticastHopLimit(d.ttl), p.SetMulticastLoopback(true))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("sending to %s: %w", d.name(), err)
	}
	return conn, nil
}

// mark sets the DSCP of what is sent from now on. Not every system lets a program.
func mark(c *net.UDPConn, v4 bool, tos int) error {
	switch {
	case tos == 0:
		return nil
	case v4:
		return ipv4.NewConn(c).SetTOS(tos)
	}
	return ipv6.NewConn(c).SetTrafficClass(tos)
}

func network(v4 bool) string {
	if v4 {
		return "udp4"
	}
	return "udp6"
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
