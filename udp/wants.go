package udp

import (
	"net/netip"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// requestRate is how many requests for repair a viewer sends in a second at most: 3 a frame at 60 frames a
	// second, and as many at once.
	requestRate = 200
	// askShare is how many fragments it asks for at most for each that comes, and askCredit how many beyond that at
	// once. A block of which nothing has come, so that its size is not known, counts as blockCosts.
	askShare, askCredit, blockCosts = 0.5, 1000, 100
	// patientFor is how many requests in a row may be answered by nothing; then one is
	// sent only every askSlowly, until something comes again.
	patientFor = 16
	askSlowly  = time.Second
	// requestsAtOnce bounds the messages of one batch.
	requestsAtOnce = 8
)

// wants asks the sender for what is missing. mu guards it.
type wants struct {
	on      bool
	limit   time.Duration // see fragment.Path
	ask     fragment.Repair
	session uint64
	seq     uint64

	rate   budget
	credit float64 // fragments that may be asked for
	used   uint64  // fragments that had come when credit was given

	vain    int    // requests since something came again
	came    uint64 // what had come again then
	slowly  time.Time
	out     [requestsAtOnce]request // to be sent once mu is free
	waiting int                     // of which are
}

type request struct {
	to netip.AddrPort
	b  []byte
}

func newWants(on bool, limit time.Duration) wants {
	return wants{on: on, limit: limit, session: newSession(), rate: budget{rate: requestRate}, credit: askCredit}
}

// wanted makes the requests for what is missing at now, and returns when to look again, zero if a datagram
// comes first. mu is held. (The deadline of a read wakes up to a millisecond late: see askMargin in package fragment.)
func (r *Receiver) wanted(now time.Time) (due time.Time) {
	w := &r.wants
	path := fragment.Path{Ask: w.on, RTT: r.answerTime(now), Limit: w.limit}
	path.Candidate = func(from netip.AddrPort, session, bytes uint64) bool {
		return r.candidates.mayAsk(from, session, bytes, now)
	}
	if w.on {
		path.Ask = w.account(r.frames.Counters(), now)
	}
	for w.waiting = 0; w.waiting < len(w.out); {
		paid := path.Ask && w.credit >= 1 && w.rate.take(now)
		path.Ask = paid
		whom, next := r.frames.Ask(now, path, &w.ask)
		if !whom.IsValid() {
			if paid {
				w.rate.have++
			}
			return next
		}
		w.sent(now)
		path.Ask = w.vain < patientFor
		w.ask.Common = fragment.Common{Session: w.session, Sequence: w.seq}
		q := &w.out[w.waiting]
		b, err := w.ask.AppendBinary(q.b[:0])
		if err != nil {
			continue // cannot be: Ask names blocks in order, and no more than fit
		}
		r.candidates.asked(whom, w.ask.Of, len(b), now)
		w.seq++
		w.waiting++
		q.to, q.b = whom, b
	}
	return now.Add(time.Millisecond)
}

// account takes account of what has come by now, and reports whether it is worth while to ask.
func (w *wants) account(c fragment.Counters, now time.Time) bool {
	if again := c.Asked.Answered + c.Asked.Vain; again != w.came {
		w.came, w.vain = again, 0
	}
	w.credit = min(w.credit+askShare*float64(c.Used-w.used), askCredit)
	w.used = c.Used
	return w.vain < patientFor || !now.Before(w.slowly)
}

// sent takes account of the request in w.ask.
func (w *wants) sent(now time.Time) {
	for i := range w.ask.Missing {
		n := w.ask.Missing[i].Count()
		if n == 0 {
			n = blockCosts
		}
		w.credit -= float64(n)
	}
	if w.vain++; w.vain >= patientFor {
		w.slowly = now.Add(askSlowly)
	}
}

// answerTime is how long an answer takes, 0 if that is not known: the least round trip, and what stands in
// queues on the way. While these are long nothing is asked for twice, or at all, that would lengthen them.
func (r *Receiver) answerTime(now time.Time) time.Duration {
	us := r.pinger.trips.us(now)
	if us > 0 {
		us += max(r.books.transit.standing(), 0)
	}
	return time.Duration(us) * time.Microsecond
}

// request sends what wanted has made. It is called by the read loop alone.
func (r *Receiver) request() {
	for _, q := range r.wants.out[:r.wants.waiting] {
		_, err := r.asking().WriteToUDPAddrPort(q.b, numbered(q.to)) // what is lost is asked for again
		r.nobody(err)
	}
}
