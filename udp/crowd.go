package udp

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// crowd is a group, or 255.255.255.255: many machines, on several interfaces. On each
// of these it is a destination of its own.
type crowd struct {
	wish
	addr netip.AddrPort
	told bool // that there is no interface for it
}

// arrange makes the destinations of all crowds fit the interfaces as they are now. One
// that is down or gone rests its destination, with its figures, until it is back; more
// than maxLinks are not kept.
func (s *Sender) arrange(all []link) {
	for _, c := range s.crowds {
		chosen := c.choose(all, false)
		if len(chosen) == 0 && !c.told {
			s.sorry.warn("there is no interface to send on: waiting for one that is up and has an address", slog.String("to", c.wish.String()))
		}
		c.told = len(chosen) == 0
		s.dests = slices.DeleteFunc(s.dests, func(d *destination) bool {
			if d.link == nil || d.addr != c.addr || find(chosen, d.link.Name) != nil {
				return false
			}
			if l := find(all, d.link.Name); len(chosen) > 0 && l != nil && l.up() && l.loopback() {
				s.retire(d) // there was no other
				return true
			}
			d.rest()
			return false
		})
		for i := range chosen {
			s.speakOn(c, &chosen[i])
		}
	}
}

// speakOn has c's destination on l, wakes it, or makes it.
func (s *Sender) speakOn(c *crowd, l *link) {
	resting, n := -1, 0
	for i, d := range s.dests {
		switch {
		case d.link == nil || d.addr != c.addr:
			continue
		case d.link.Name == l.Name:
			d.wake(l)
			return
		case d.away:
			resting = i
		}
		n++
	}
	if n >= maxLinks && resting >= 0 { // names that do not come back, as those of containers
		s.retire(s.dests[resting])
		s.dests = slices.Delete(s.dests, resting, resting+1)
	}
	d := s.newDestination(c.addr, l)
	if err := d.dial(); err != nil { // it is tried again with every frame, at most once a second
		s.trouble(d, err)
	}
	s.enlist(d)
	if s.began {
		s.sorry.log.Info("sending on another interface too", slog.String("to", d.name()))
	}
	if c.group() && wireless(l.Name) {
		s.sorry.log.Info("this is multicast over Wi-Fi, which sends nothing again and may lose a third of it: naming each viewer's address (--to, several times) is better", slog.String("to", d.name()))
	}
}

// rest gives the socket up until the interface is back.
func (d *destination) rest() {
	if !d.away {
		d.away = true
		d.close()
		d.sorry.log.Warn("the interface is down, unplugged, gone or without an address: nothing is sent there until it is back", slog.String("to", d.name()))
	}
}

// wake takes note of what d's interface is now: it may have another index.
func (d *destination) wake(l *link) {
	if d.away || d.link.Index != l.Index {
		d.close()
		d.redial = time.Time{} // at once
		d.sorry.log.Info("the interface is back: sending there again", slog.String("to", d.name()))
	}
	d.away, d.link = false, l
}
