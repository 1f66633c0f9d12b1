package udp

import (
	"net/netip"
	"slices"
	"time"
)

// attend makes the destinations fit who is subscribed now.
func (s *Sender) attend(now time.Time) {
	if s.house == nil {
		return
	}
	guests, changed := s.house.present(now)
	if !changed {
		return
	}
	there := make(map[uint64]*guest, len(guests))
	for i := range guests {
		there[guests[i].id] = &guests[i]
	}
	s.dests = slices.DeleteFunc(s.dests, func(d *destination) bool {
		if d.guest == nil {
			return false
		}
		g := there[d.guest.id]
		if g == nil {
			s.retire(d) // before the same address may come again
			return true
		}
		*d.guest = *g
		delete(there, g.id)
		return false
	})
	for i := range guests {
		if there[guests[i].id] != nil {
			s.welcome(guests[i])
		}
	}
	s.fit(now) // the way to them may take smaller datagrams
}

// welcome makes g a destination.
func (s *Sender) welcome(g guest) {
	d := s.newDestination(g.addr, nil)
	d.guest, d.stats.Subscribed = &g, true
	d.reader.house, d.reader.at, d.reader.local = s.house, g.at, g.local
	if guestsShareSockets {
		d.mu = &g.at.sending
	}
	if err := d.dial(); err != nil { // it is tried again with every frame, at most once a second
		s.trouble(d, err)
	}
	s.enlist(d)
}

// enlist has frames sent to d, whose socket has been tried, and hears what is reported of them.
func (s *Sender) enlist(d *destination) {
	s.dests = append(s.dests, d)
	name, one := d.name(), d.addr
	switch {
	case d.guest != nil:
		name = "subscribed"
	case d.many:
		one = netip.AddrPort{}
	}
	s.viewers.expect(d.session, name, one, d.guest != nil, time.Now())
	s.resends.expect(d)
}

// retire ends what enlist has begun. The caller takes d out of dests.
func (s *Sender) retire(d *destination) {
	s.viewers.forget(d.session)
	s.resends.forget(d.session)
	d.close()
	s.stats.Repairs.add(d.repaired())
}
