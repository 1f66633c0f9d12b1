package udp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// tend does what time asks for, until Close: pings, and for a group the memberships
// and what is to be said of its silence.
func (r *Receiver) tend() {
	defer r.running.Done()
	every := pingFast
	if r.ask != nil {
		every = helloFast / 5
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	buf, look := make([]byte, 0, 256), time.Now().Add(lookEvery) // two messages
	for {
		select {
		case <-r.stop:
			return
		case <-r.news:
			r.ping(buf)
			r.hello(buf, time.Now())
		case now := <-tick.C:
			r.ping(buf)
			r.hello(buf, now)
			r.stalled(now)
			if r.group == nil {
				continue
			}
			if !now.Before(look) {
				look = now.Add(lookEvery)
				r.rejoin()
			}
			r.complain(now)
		}
	}
}

// rejoin has the memberships follow the interfaces.
func (r *Receiver) rejoin() {
	if all, err := links(); err == nil && r.group.update(all) { // or next time, then
		r.sayJoined()
	}
}

func (r *Receiver) sayJoined() {
	r.mu.Lock()
	r.stats.Joined, r.indices = nil, nil
	for _, l := range r.group.joined {
		r.stats.Joined, r.indices = append(r.stats.Joined, l.Name), append(r.indices, l.Index)
	}
	r.mu.Unlock()
	if len(r.group.joined) == 0 {
		r.log.Warn("there is no interface to hear the group on: waiting for one that is up and has an address", slog.String("group", r.group.String()))
		return
	}
	r.log.Info("joined "+r.group.addr.String()+" on "+r.group.where(), slog.Int("port", int(r.addr.Port())))
}

// complain says, once for each silence, that nothing of the group comes. A stream that
// stopped is joined again, in case a switch has forgotten who wants it.
func (r *Receiver) complain(now time.Time) {
	r.mu.Lock()
	what, hint, yes := r.silence.broken(now)
	began := !r.silence.began.IsZero()
	r.mu.Unlock()
	if !yes {
		return
	}
	if began {
		r.group.again()
	}
	r.log.Warn(fmt.Sprintf("joined %v on %s; %s: %sperhaps %s", r.group.addr, r.group.where(), what, hint, r.group.reasons(r.addr.Port())))
}

// readControl reads what comes to a group's viewer alone: answers to its pings. It ends
// when the socket is closed, and by no error before.
func (r *Receiver) readControl() {
	defer r.running.Done()
	buf := make([]byte, 256)
	reads := budget{rate: readRate}
	for {
		n, from, err := r.control.ReadFromUDPAddrPort(buf)
		now := time.Now()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			r.controlDatagram(unmap(from), buf[:n], now)
		}
		for !reads.take(time.Now()) {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (r *Receiver) controlDatagram(from netip.AddrPort, b []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Asides++
	r.pong(from, b, now)
}

// asking is the socket that questions leave by: the one the data comes to, so that
// firewalls see one conversation, but for a group, whose address no packet may be from.
func (r *Receiver) asking() *net.UDPConn {
	if r.control != nil {
		return r.control
	}
	return r.conn
}
