package udp

import (
	"slices"
	"strconv"
	"time"

	"github.com/framegram/framegram/udp/pace"
)

// surveyEvery is how often a link is looked at: some adapters take milliseconds to answer.
const surveyEvery = 10 * time.Second

// lane is an interface that frames leave by: what is sent to all destinations behind it
// shares its link, and so its pace.
type lane struct {
	name     string // of the interface; empty where it is not known
	loopback bool
	setting  int64 // SenderConfig.Pace
	pace     pace.Lane
	riders   []*destination // with datagrams of this frame left to send
	turn     int            // whose turn it is
	at       time.Time      // when its link was looked at
	stats    LaneStats

	repairs commonPurse // of all destinations

	expected time.Duration // how long the frame takes by a pace that was asked for
}

// survey looks at the link.
func (l *lane) survey(setting int64) {
	l.at = time.Now()
	link := int64(0)
	if !l.loopback {
		link = pace.LinkSpeed(l.name)
	}
	l.pace.SetLimit(pace.Limit(setting, link, l.loopback), setting > 0)
	l.stats = LaneStats{Interface: l.name, Link: link, Limit: l.pace.Limit(), Spread: l.stats.Spread}
}

// begin has a frame of so many bytes of UDP payload in n datagrams, the first of which has so many,
// set out to all riders. interval is the usual one between two frames, last that before this one.
func (l *lane) begin(now time.Time, payload, n, first int, interval, last time.Duration) {
	l.expected = 0
	if len(l.riders) == 0 {
		return
	}
	bytes := 0
	for _, d := range l.riders {
		own := payload - (n-d.end)*first + d.end*d.overhead() // what is left out is parity, which is as long as the first
		d.path.Begin(now, own, l.pathState(d), min(interval, last))
		bytes += own
	}
	l.pace.Begin(now, bytes, interval)
	l.expected = l.pace.Expected(bytes)
}

// pathState is what is known of the path to d behind l. A pace that was asked for is kept as it is, and what stays on this machine
// needs none.
func (l *lane) pathState(d *destination) pace.State {
	if l.setting != pace.Auto || l.loopback {
		return pace.State{}
	}
	return d.again.hears.path(d.session)
}

// laneOf is the lane of the interface that d's datagrams leave by.
func (s *Sender) laneOf(d *destination) *lane {
	name, loopback := d.outgoing(s.interfaces())
	for _, l := range s.lanes {
		if l.name == name && l.loopback == loopback {
			return l
		}
	}
	l := &lane{name: name, loopback: loopback, setting: s.cfg.Pace, repairs: commonPurse{purse: purse{floor: laneFloor}}}
	l.survey(s.cfg.Pace)
	s.lanes = append(s.lanes, l)
	return l
}

// interfaces are this machine's, as of a second ago at most: to list them takes milliseconds where
// there are many, and viewers come by the dozen.
func (s *Sender) interfaces() []link {
	if now := time.Now(); s.all == nil || now.Sub(s.allAt) >= lookEvery {
		if all, err := links(); err == nil { // or the last ones, then
			s.all, s.allAt = all, now
		}
	}
	return s.all
}

// outgoing is the name of the interface that d's datagrams leave by, empty where nobody
// can tell, and whether they stay on this machine.
func (d *destination) outgoing(all []link) (name string, loopback bool) {
	if d.link != nil {
		return d.link.Name, d.link.loopback()
	}
	if d.stats.Interface != "" { // a network's broadcast address
		return d.stats.Interface, false
	}
	local := numbered(localAddr(d.conn)).Addr() // whose zone is a number, where several interfaces may have the address
	from, to := local.WithZone(""), d.addr.Addr().WithZone("")
	for i := range all {
		for _, p := range all[i].addrs {
			if p.Addr() == from && name == "" && (local.Zone() == "" || local.Zone() == strconv.Itoa(all[i].Index)) {
				name = all[i].Name
			}
			loopback = loopback || p.Addr() == to
		}
	}
	return name, loopback || to.IsLoopback()
}

// survey forgets the lanes that nobody takes any longer, and looks at the links of the others:
// a cable may have been plugged into another switch.
func (s *Sender) survey(now time.Time) {
	s.lanes = slices.DeleteFunc(s.lanes, func(l *lane) bool {
		return !slices.ContainsFunc(s.dests, func(d *destination) bool { return d.lane == l })
	})
	for _, l := range s.lanes {
		if now.Sub(l.at) >= surveyEvery {
			l.survey(s.cfg.Pace)
		}
	}
}

// LaneStats tell how the datagrams leave by one interface.
type LaneStats struct {
	Interface string  `json:"interface"`   // empty where it is not known
	Link      int64   `json:"link_bit_s"`  // its speed; 0 = not known
	Limit     int64   `json:"limit_bit_s"` // the pace, in bits of IP packets a second; 0 = none
	Spread    float64 `json:"spread_ms"`   // over how long the last frame was spread by it
}

// lap sends chunks, a rider at a time, until the lane's pace, its riders' paths or their buffers hold
// it up. It returns when the next chunk may leave, or a rider that has no room.
func (l *lane) lap(f *flight) (due time.Time, full *destination) {
	var held time.Time // the earliest time at which a rider held up by its path may go on
	for without := 0; len(l.riders) > without; {
		now := time.Now()
		chunk, due := l.pace.Next(now)
		if due.After(now) {
			return due, nil
		}
		if l.turn >= len(l.riders) {
			l.turn = 0
		}
		d := l.riders[l.turn]
		some, at := d.path.Next(now)
		if at.After(now) && d.path.Stale(now) { // a report may have come since
			d.path.Learn(now, l.pathState(d))
			some, at = d.path.Next(now)
		}
		if at.After(now) {
			if held.IsZero() || at.Before(held) {
				held = at
			}
			without++
			l.turn++
			continue
		}
		bytes, noRoom := d.step(now, f.cut, f.datagrams, min(chunk, some))
		if bytes > 0 {
			l.pace.Sent(now, bytes)
			d.path.Sent(now, bytes)
			without, held = 0, time.Time{}
		}
		switch {
		case d.next >= d.end:
			l.riders = slices.Delete(l.riders, l.turn, l.turn+1)
			f.arrived++
		case noRoom:
			full = d
			without++
			l.turn++
		default:
			l.turn++
		}
	}
	if len(l.riders) == 0 {
		return time.Time{}, nil
	}
	return held, full
}
