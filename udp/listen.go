package udp

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/framegram/framegram/udp/batch"
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
	r.batch, r.addr = batch.NewReader(r.conn, batch.Config{NoOffload: cfg.NoOffload, Log: r.log}), localAddr(r.conn)
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
		r.noted = tellDestination(r.conn, w.addr.Is4())
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
