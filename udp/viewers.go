package udp

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp/heal"
	"github.com/framegram/framegram/udp/pace"
)

const (
	// reportLife is how long a viewer's report is news. They come once a second.
	reportLife = 5 * time.Second
	// maxReporters bounds the viewers of one group or broadcast address that are told
	// apart, and maxReportersInAll those of all of them. Others are not heard until one
	// of these falls silent; they see the video all the same.
	maxReporters      = 128
	maxReportersInAll = 512
)

// viewers keeps what viewers have reported last. Its zero value is ready, and it may be
// used from any goroutine.
type viewers struct {
	mu       sync.Mutex
	to       map[uint64]*audience // by data session
	many     int                  // reporters of those with no one address
	reports  uint64
	ignored  uint64
	audience uint64 // number given

	reported func(ViewerStats) // see SenderConfig; nil for nobody
}

// audience is who sees what is sent to one destination.
type audience struct {
	number     uint64         // in the order in which they were expected
	name       string         // of the destination, for people
	one        netip.AddrPort // the one viewer's address, or not valid: there may be many
	subscribed bool
	parity     float64 // of its frames, as a share of their data
	unsent     uint64  // datagrams whose numbers were used up, see DestinationStats
	skipped    uint64  // frames left out
	since      time.Time
	path       pace.State // of the narrowest way to any of rows; what it was when the last of them fell silent
	rows       []reporter // of one, one at most; in the order in which they came
}

type reporter struct {
	from   netip.AddrPort
	addr   string // from, for people
	since  time.Time
	at     time.Time
	report fragment.Report
	loss   heal.Loss
	path   pace.Estimate
}

// ViewerStats is what a viewer has reported last: once a second it tells how the
// datagrams of our one session fare that it follows. All is as the viewer says, and
// counts from its first datagram of that session.
type ViewerStats struct {
	Addr        string    `json:"addr"`            // that it reports from
	To          string    `json:"to"`              // the destination: an address, a group on an interface, or "subscribed"
	Since       time.Time `json:"since"`           // when it subscribed, else of its first report
	ReportAge   int64     `json:"reported_ms_ago"` // ms since its last report; -1 = none in the last 5 s, and all below is 0
	Frame       uint32    `json:"frame"`           // its newest complete one, as numbered on the wire
	Shown       uint32    `json:"shown"`           // frames handed to its display
	Lost        uint32    `json:"lost"`            // frames that did not become complete
	Received    uint64    `json:"received"`        // datagrams, copies not counted
	Missing     uint64    `json:"missing"`         // datagrams that have not come
	Reordered   uint32    `json:"reordered"`       // datagrams that came after a later one
	KernelDrops uint32    `json:"kernel_drops"`    // datagrams its socket had no room for
	Jitter      uint32    `json:"jitter_us"`       // µs, by RFC 3550 section 6.4.1
	RTT         uint32    `json:"rtt_us"`          // µs of round trip, the least of the last seconds; 0 = not known
	Queueing    uint32    `json:"queueing_us"`     // µs of one-way delay above the least of the last seconds
	Loss        float64   `json:"loss"`            // share of datagrams lost on the way, as parity is chosen for
	Parity      float64   `json:"parity"`          // that it is sent, as a share of the data
	Complete    uint32    `json:"complete"`        // frames that became complete; 0 = it cannot show a picture yet
	Arrival     int64     `json:"arrival_bit_s"`   // bit/s of IP packets at which the datagrams of a frame came, one behind the other; 0 = not known
}

// expect takes reports on a data session from now on. from is the one viewer's address,
// or not valid where there may be many. One that has subscribed is listed even before it
// reports.
func (v *viewers) expect(session uint64, name string, from netip.AddrPort, subscribed bool, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.to == nil {
		v.to = make(map[uint64]*audience)
	}
	v.audience++
	v.to[session] = &audience{number: v.audience, name: name, one: from, subscribed: subscribed, since: now, path: pace.Unknown}
}

// forget takes none any more.
func (v *viewers) forget(session uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.to[session]; a != nil {
		if !a.one.IsValid() {
			v.many -= len(a.rows)
		}
		delete(v.to, session)
	}
}

// report takes a datagram that may be a Report.
func (v *viewers) report(from netip.AddrPort, b []byte, now time.Time) {
	var r fragment.Report
	if r.Parse(b) != nil {
		return
	}
	v.mu.Lock()
	row := v.row(from, r.Of, now)
	if row == nil || !row.at.IsZero() && r.Session == row.report.Session && r.Sequence < row.report.Sequence {
		v.ignored++ // late, in the second case: its counts would look like a viewer's that starts anew
		v.mu.Unlock()
		return
	}
	v.reports++
	row.at, row.report = now, r
	to := v.to[r.Of]
	row.loss.Report(now, heal.Report{
		Received: r.Received, Missing: r.Missing, KernelDrops: uint64(r.KernelDrops), Shown: uint64(r.Shown), Lost: uint64(r.Lost),
		Unsent: to.unsent, LeftOut: to.skipped,
		Queueing: time.Duration(r.Queueing) * time.Microsecond, RTT: time.Duration(r.RTT) * time.Microsecond, Nothing: r.Complete == 0,
	})
	row.path.Report(now, pace.Report{
		Complete: r.Complete > 0, Received: r.Received, Missing: r.Missing,
		Queueing: time.Duration(r.Queueing) * time.Microsecond, Arrival: int64(r.Arrival) * 1000,
	})
	to.narrowest(now)
	stats := row.stats(to, now)
	v.mu.Unlock()
	if v.reported != nil {
		v.reported(stats)
	}
}

// row is the place of a report on a session, or nil where there is none for it. mu is
// held.
func (v *viewers) row(from netip.AddrPort, session uint64, now time.Time) *reporter {
	a := v.to[session]
	if a == nil || a.one.IsValid() && !sameMachine(a.one, from) {
		return nil
	}
	for i := range a.rows {
		if a.rows[i].from == from {
			return &a.rows[i]
		}
	}
	since := now
	switch {
	case a.subscribed:
		since = a.since
	case a.one.IsValid():
	default:
		if len(a.rows) >= maxReporters || v.many >= maxReportersInAll {
			v.expire(now)
		}
		if len(a.rows) >= maxReporters || v.many >= maxReportersInAll {
			return nil
		}
		v.many++
	}
	if a.one.IsValid() {
		a.rows = a.rows[:0] // the same address with its zone written otherwise
	}
	a.rows = append(a.rows, reporter{from: from, addr: from.String(), since: since})
	return &a.rows[len(a.rows)-1]
}

// protected notes how much parity a session's frames have.
func (v *viewers) protected(session uint64, parity float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.to[session]; a != nil {
		a.parity = parity
	}
}

// unsent notes how many datagrams of a session were not sent, though their numbers were used up, and how many
// frames were left out: what viewers miss of them is not lost on the way.
func (v *viewers) unsent(session, datagrams, frames uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.to[session]; a != nil {
		a.unsent, a.skipped = datagrams, frames
	}
}

// narrowest finds the state of the path to all of a's viewers. mu is held.
func (a *audience) narrowest(now time.Time) {
	first := true
	for i := range a.rows {
		r := &a.rows[i]
		if now.Sub(r.at) > reportLife {
			continue
		}
		switch s := r.path.State(); {
		case first:
			a.path, first = s, false
		case !s.Spread:
		case !a.path.Spread, s.Rate < a.path.Rate:
			a.path = s
		}
	}
}

// path is what is known of the path to those who see a session.
func (v *viewers) path(session uint64) pace.State {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a := v.to[session]; a != nil {
		return a.path
	}
	return pace.Unknown
}

// loss is the share of datagrams that the worst of those who see a session loses, and the longest
// round trip to any of them; 0 where nobody has reported lately.
func (v *viewers) loss(session uint64, now time.Time) (worst float64, rtt time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.to[session]
	if a == nil {
		return 0, 0
	}
	for i := range a.rows {
		if share, fresh := a.rows[i].loss.Share(now); fresh {
			worst, rtt = max(worst, share), max(rtt, a.rows[i].loss.RTT())
		}
	}
	return worst, rtt
}

// sameMachine compares addresses but for their zones, which have a name and a number.
func sameMachine(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().WithZone("") == b.Addr().WithZone("")
}

// expire forgets old reports. mu is held.
func (v *viewers) expire(now time.Time) {
	for _, a := range v.to {
		before := len(a.rows)
		a.rows = slices.DeleteFunc(a.rows, func(r reporter) bool { return now.Sub(r.at) > reportLife })
		if !a.one.IsValid() {
			v.many -= before - len(a.rows)
		}
	}
}

// list is who is there, by destination, in the order in which they came. The result is
// the caller's.
func (v *viewers) list(now time.Time) []ViewerStats {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expire(now)
	order := make([]*audience, 0, len(v.to))
	for _, a := range v.to {
		order = append(order, a)
	}
	slices.SortFunc(order, func(a, b *audience) int { return cmp.Compare(a.number, b.number) })
	all := []ViewerStats{}
	for _, a := range order {
		for i := range a.rows {
			all = append(all, a.rows[i].stats(a, now))
		}
		if a.subscribed && len(a.rows) == 0 {
			all = append(all, ViewerStats{Addr: a.one.String(), To: a.name, Since: a.since, ReportAge: -1})
		}
	}
	return all
}

func (r *reporter) stats(to *audience, now time.Time) ViewerStats {
	p := &r.report
	loss, _ := r.loss.Share(now)
	return ViewerStats{
		Addr: r.addr, To: to.name, Since: r.since, ReportAge: now.Sub(r.at).Milliseconds(),
		Frame: p.Frame, Shown: p.Shown, Lost: p.Lost, Received: p.Received, Missing: p.Missing,
		Reordered: p.Reordered, KernelDrops: p.KernelDrops, Jitter: p.Jitter, RTT: p.RTT, Queueing: p.Queueing,
		Loss: loss, Parity: to.parity, Complete: p.Complete, Arrival: int64(p.Arrival) * 1000,
	}
}

// counts are the reports that were taken, and those that were not: on no session of
// ours, from another address than its viewer's, of too many viewers, or overtaken by a later one.
func (v *viewers) counts() (taken, ignored uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reports, v.ignored
}
