package udp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// open opens the sockets: one that data comes to, and if that one's address is not this
// machine's alone, one for what is.
func (r *Receiver) open(cfg ReceiverConfig) error {
	all, err := links()
	if err != nil {
		return fmt.Errorf("udp: listing the network interfaces: %w", err)
	}
	switch ip := cfg.Listen.Addr(); {
	case ip.IsMulticast():
		err = r.openGroup(cfg, all)
	case ip == limitedBroadcast || broadcastLink(all, ip) != nil:
		if r.conn, _, err = listenShared(cfg.Listen); err == nil {
			r.control, err = net.ListenUDP("udp4", nil)
		}
	default:
		r.conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(cfg.Listen))
	}
	if err != nil {
		r.closeSockets()
		if _, ok := err.(*ConfigError); ok {
			return err
		}
		return fmt.Errorf("udp: %w", err)
	}
	onlyJoined(r.conn)
	r.batch, r.addr = newBatchConn(r.conn), localAddr(r.conn)
	if r.control != nil {
		r.addr = cfg.Listen // the socket's may be the wildcard
	}
	return nil
}

// openGroup joins on the interfaces there are, or waits for one.
func (r *Receiver) openGroup(cfg ReceiverConfig, all []link) (err error) {
	w, err := newWish(all, "listen", cfg.Listen.Addr(), cfg.Interfaces)
	if err != nil {
		return err
	}
	var wild bool
	if r.conn, wild, err = listenShared(netip.AddrPortFrom(w.addr, cfg.Listen.Port())); err != nil {
		return err
	}
	onlyJoined(r.conn) // before it has joined any
	// Linux asks for an IPv6 socket only whether it is in the group, not where.
	if r.oneOf = w.addr.Is6() && len(w.names) > 0; wild || r.oneOf {
		r.toSpace = tellDestination(r.conn, w.addr.Is4())
	}
	if r.control, err = net.ListenUDP(network(w.addr.Is4()), nil); err != nil {
		return err
	}
	r.group = newMembership(w, cfg.Source, r.conn, r.log)
	r.addr = cfg.Listen
	r.group.update(all)
	r.sayJoined()
	return nil
}

func (r *Receiver) closeSockets() {
	for _, c := range []*net.UDPConn{r.conn, r.control} {
		if c != nil {
			c.Close()
		}
	}
}

// tellDestination asks for a note with each datagram on where it was sent to and came
// in by, and returns the room that it takes in bytes, or 0 where the system gives none:
// then what comes to the port of this machine's own addresses is heard, too.
func tellDestination(c *net.UDPConn, v4 bool) int {
	if v4 {
		const flags = ipv4.FlagDst | ipv4.FlagInterface
		if ipv4.NewPacketConn(c).SetControlMessage(flags, true) != nil {
			return 0
		}
		return len(ipv4.NewControlMessage(flags))
	}
	const flags = ipv6.FlagDst | ipv6.FlagInterface
	if ipv6.NewPacketConn(c).SetControlMessage(flags, true) != nil {
		return 0
	}
	return len(ipv6.NewControlMessage(flags))
}

// forGroup reports whether the notes on a datagram, if there are any, allow that it is
// the group's, and came by an interface that was asked for. mu is held.
func (r *Receiver) forGroup(oob []byte) bool {
	group := r.addr.Addr().WithZone("")
	var dst net.IP
	var in int
	if group.Is4() {
		var m ipv4.ControlMessage
		if m.Parse(oob) == nil {
			dst, in = m.Dst, m.IfIndex
		}
	} else {
		var m ipv6.ControlMessage
		if m.Parse(oob) == nil {
			dst, in = m.Dst, m.IfIndex
		}
	}
	to, ok := netip.AddrFromSlice(dst)
	return !ok || to.Unmap() == group && (!r.oneOf || in == 0 || slices.Contains(r.indices, in))
}
