package udp

import (
	"net/netip"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// requestRate is how many repairs a viewer asks for in a second at most: 3 a frame at 60 frames a
	// second, and as many at once.
	requestRate = 200
	// patientFor is how many requests in a row may be answered by nothing; then one is
	// made only every askSlowly, until something comes again.
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
	rate    budget

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

// wanted makes the requests for what is missing at now, and returns when to look again, zero if a datagram
// comes first. mu is held.
func (r *Receiver) wanted(now time.Time) (due time.Time) {
	w := &r.wants
	c := r.frames.Counters()
	if again := c.Asked.Answered + c.Asked.Vain; again != w.came {
		w.came, w.vain = again, 0
	}
	path := fragment.Path{Ask: w.on, RTT: time.Duration(r.pinger.trips.us(now)) * time.Microsecond, Limit: w.limit}
	if w.vain >= patientFor {
		path.Ask = path.Ask && !now.Before(w.slowly)
	}
	for w.waiting = 0; w.waiting < len(w.out); {
		whom, next := r.frames.Ask(now, path, &w.ask)
		if !whom.IsValid() {
			return next
		}
		if !w.rate.take(now) {
			path.Ask = false // what Ask has said is taken for sent, and asked for again when it is overdue
			continue
		}
		if w.vain++; w.vain >= patientFor {
			w.slowly, path.Ask = now.Add(askSlowly), false
		}
		w.ask.Common = fragment.Common{Session: w.session, Sequence: w.seq}
		q := &w.out[w.waiting]
		b, err := w.ask.AppendBinary(q.b[:0])
		if err != nil {
			continue // cannot be: Ask names blocks in order, and no more than fit
		}
		w.seq++
		w.waiting++
		q.to, q.b = whom, b
	}
	return now.Add(time.Millisecond)
}

// request sends what wanted has made. It is called by the read loop alone.
func (r *Receiver) request() {
	for _, q := range r.wants.out[:r.wants.waiting] {
		_, err := r.asking().WriteToUDPAddrPort(q.b, numbered(q.to)) // what is lost is asked for again
		r.nobody(err)
	}
}
