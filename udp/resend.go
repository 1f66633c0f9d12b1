package udp

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// resendBatch is how many datagrams are sent again by one call.
const resendBatch = 64

// resender sends fragments of the last frames again to who asks for them. Requests come
// in the goroutines of the sockets' readers, also while a frame is being sent.
type resender struct {
	on      bool          // else nothing is kept, and every request ignored
	ignored atomic.Uint64 // requests, see SenderStats

	// mu is held for reading as long as something of the history is being sent, which never waits
	// for room (on Linux; elsewhere for milliseconds). A destination's own mutex is taken after it.
	mu      sync.RWMutex
	history fragment.History
	to      map[uint64]*destination // by data session
}

// RepairStats tell what viewers asked to be sent again since the start, and what came of it. Each
// fragment asked for is counted once: Wanted = Resent + Repeated + Gone + Refused + Unsent.
type RepairStats struct {
	Requests    uint64 `json:"requests"`     // that came
	Wanted      uint64 `json:"wanted"`       // fragments that they asked for
	Resent      uint64 `json:"resent"`       // of which sent again: datagrams, not among those of frames
	Repeated    uint64 `json:"repeated"`     // on their way at that time: asked for by another member of a group just before, or not sent for the first time yet
	Gone        uint64 `json:"gone"`         // of frames that are not kept any longer, or never were; of a whole block whose size is not known, 1
	Refused     uint64 `json:"refused"`      // over the budget
	Unsent      uint64 `json:"unsent"`       // no room in the send buffer, or no way there
	ResentBytes uint64 `json:"resent_bytes"` // of UDP payload
}

func (s *RepairStats) add(o RepairStats) {
	s.Requests += o.Requests
	s.Wanted += o.Wanted
	s.Resent += o.Resent
	s.Repeated += o.Repeated
	s.Gone += o.Gone
	s.Refused += o.Refused
	s.Unsent += o.Unsent
	s.ResentBytes += o.ResentBytes
}

// keep keeps f, which cut has just cut as the frame id, before it is sent.
func (r *resender) keep(id uint32, f *stream.Frame, cut *fragment.Splitter, now time.Time) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Keep(id, f, cut, now)
}

// close gives the frames back.
func (r *resender) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Drop()
}

// expect takes requests on d's session from now on.
func (r *resender) expect(d *destination) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		r.to = make(map[uint64]*destination)
	}
	r.to[d.session] = d
}

// forget takes none any more.
func (r *resender) forget(session uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.to, session)
}

// request takes a datagram that may be a Repair. As with reports, who knows the session hears
// what is sent in it; a destination that is one machine must also be who asks. ask is used to parse it.
func (r *resender) request(from netip.AddrPort, b []byte, ask *fragment.Repair, now time.Time) {
	if ask.Parse(b) != nil {
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.to[ask.Of]
	if !r.on || d == nil || !d.resend(ask, r.history.Frame(ask.Frame, now), r.history.Newest(), from, now) {
		r.ignored.Add(1)
	}
}

// again is what a destination needs to send fragments again; its mutex guards it.
type again struct {
	stats RepairStats
	purse purse
	lane  *lane    // where all pay that leave by it; nil before the first frame
	group *audible // what a group needs beside; nil for others
	hears *viewers // that know the round trips
	aloft bool     // the newest frame is being sent, and is there up to the datagram next

	pieces    []fragment.Piece
	headers   []byte
	datagrams []fragment.Datagram
	sending   []fragment.Piece // that datagrams are of
}

// resend sends again what is asked for of the frame k, nil if that is not kept, and reports whether the
// one who asks may. It costs no pace: what is sent again is little, and late already.
func (d *destination) resend(ask *fragment.Repair, k, newest *fragment.KeptFrame, from netip.AddrPort, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.many && !sameMachine(d.addr, from) {
		return false
	}
	a := &d.again
	gone := 0
	a.pieces, gone = k.Wanted(a.pieces[:0], ask)
	a.stats.Requests++
	a.stats.Wanted += uint64(len(a.pieces) + gone)
	a.stats.Gone += uint64(gone)
	if len(a.pieces) == 0 {
		return true
	}
	if a.headers == nil {
		a.headers = make([]byte, resendBatch*fragment.HeaderLen)
		a.datagrams = make([]fragment.Datagram, 0, resendBatch)
		a.sending = make([]fragment.Piece, 0, resendBatch)
	}
	var who *member
	var window time.Duration
	if d.many {
		if a.group == nil {
			a.group = &audible{}
		}
		if who = a.group.member(from, now); who == nil {
			a.stats.Refused += uint64(len(a.pieces))
			return true
		}
		window = repeatWindow(a.hears.rtt(d.session, from))
	}
	for i := 0; i < len(a.pieces); i++ {
		switch p := a.pieces[i]; {
		case a.aloft && k == newest && k.Place(p) >= d.next, who != nil && a.group.sentWithin(window, k.ID(), p, now):
			a.stats.Repeated++
		case d.conn == nil:
			a.stats.Unsent++
		case !a.pay(now, k.Len(p), who): // nor will it do for the others, but for a short last one
			a.stats.Refused += uint64(len(a.pieces) - i)
			a.pieces = a.pieces[:i+1]
		default:
			n := len(a.datagrams)
			a.datagrams = append(a.datagrams, k.Again(a.headers[n*fragment.HeaderLen:], p, d.session, d.seq+uint64(n)))
			a.sending = append(a.sending, p)
		}
		if len(a.datagrams) == resendBatch || len(a.datagrams) > 0 && i == len(a.pieces)-1 {
			if !d.sendAgain(k.ID(), now) {
				a.stats.Unsent += uint64(len(a.pieces) - 1 - i)
				break
			}
		}
	}
	return true
}

// sendAgain sends what has been put together, and reports whether there was room for all of it.
func (d *destination) sendAgain(frame uint32, now time.Time) bool {
	a := &d.again
	n, err := d.writer.Write(a.datagrams, d.to)
	if isRefused(err) { // before whoever asks was there
		d.reader.refused.Store(true)
		more := 0
		more, err = d.writer.Write(a.datagrams[n:], d.to)
		n += more
	}
	d.seq += uint64(n)
	for i, g := range a.datagrams {
		size := len(g.Header) + len(g.Payload)
		switch {
		case i >= n:
			a.stats.Unsent++
			a.refund(size)
		default:
			a.stats.Resent++
			a.stats.ResentBytes += uint64(size)
			if a.group != nil {
				a.group.sent(frame, a.sending[i], now)
			}
		}
	}
	clear(a.datagrams) // they point into the frame
	a.datagrams, a.sending = a.datagrams[:0], a.sending[:0]
	return err == nil
}

// earn notes that so many bytes of a frame have been sent: at once, since what is lost of the first of them is asked for before
// the last have left, and where frames are rare nothing else has been saved up.
func (a *again) earn(now time.Time, bytes int) {
	a.purse.earn(now, bytes)
	if a.lane != nil {
		a.lane.repairs.earn(now, bytes)
	}
}

// pay pays for a datagram of so many bytes from every purse that it concerns, or from none.
func (a *again) pay(now time.Time, bytes int, who *member) bool {
	a.purse.roll(now)
	if who != nil && !who.may(bytes, &a.purse) || !a.purse.pay(now, bytes) {
		return false
	}
	if a.lane != nil && !a.lane.repairs.pay(now, bytes) {
		a.purse.refund(bytes)
		return false
	}
	if who != nil {
		who.bytes += float64(bytes)
	}
	return true
}

func (a *again) refund(bytes int) {
	a.purse.refund(bytes)
	if a.lane != nil {
		a.lane.repairs.refund(bytes)
	}
}

// commonPurse is that of a lane, whose destinations are served by several goroutines.
type commonPurse struct {
	mu sync.Mutex
	purse
}

func (p *commonPurse) earn(now time.Time, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.purse.earn(now, bytes)
}

func (p *commonPurse) pay(now time.Time, bytes int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.purse.pay(now, bytes)
}

func (p *commonPurse) refund(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.purse.refund(bytes)
}
