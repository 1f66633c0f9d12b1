package pace

import "time"

const (
	// leastSpread is the time that Auto lets a frame take in any case: frames that come faster
	// than 500 a second come from a file, not from a camera.
	leastSpread = time.Millisecond
	// grain is the shortest gap between chunks that is worth a wait of its own: a wait costs
	// 8 µs or more of a processor, however short, and is 5 µs too long. Chunks closer than that leave in pairs.
	grain = 25 * time.Microsecond
	// mostRate is far above any link, in bit/s.
	mostRate = 1e15
)

// Lane says when what leaves by one interface may leave: chunks of [Chunk] datagrams, so
// far apart that the rate stays under a limit. Its zero value holds nothing up. It reads
// no clock.
//
// A limit costs a frame of n bytes up to n·8/limit in latency, less one chunk.
type Lane struct {
	limit  int64 // bit/s; 0 = none
	strict bool  // the limit is kept even where a frame takes too long by it

	// Of the frame in hand.
	rate  int64     // bit/s: the limit, or more to be gone by then
	by    time.Time // when the last of it is to be gone; zero where the limit is strict
	left  int       // bytes not sent
	due   time.Time // when the next chunk may leave
	last  int       // bytes of the last chunk
	first time.Time // when the frame began to leave
	sent  time.Time // when its last chunk left
}

// SetLimit sets the limit in bit/s, 0 for none, from the next frame on. A strict one was
// asked for by its number: it is kept even if frames then take longer than they should.
func (l *Lane) SetLimit(limit int64, strict bool) { l.limit, l.strict = max(limit, 0), strict }

// Limit is what was set.
func (l *Lane) Limit() int64 { return l.limit }

// Begin is told that a frame of so many bytes of IP packets, those to all destinations by
// this lane, begins to leave at now, and how long after it the next one is likely to. Under a limit that is
// not strict the frame is to be gone in half that interval, and in MostSpread: faster than the limit, if need be.
func (l *Lane) Begin(now time.Time, bytes int, interval time.Duration) {
	l.begin(now, bytes, max(min(interval/2, MostSpread), leastSpread))
}

// begin is Begin with the time within which the frame is to be gone.
func (l *Lane) begin(now time.Time, bytes int, within time.Duration) {
	l.rate, l.by, l.left = l.limit, time.Time{}, bytes
	l.first, l.sent = now, now
	if l.rate == 0 {
		return
	}
	if l.due.Before(now) {
		l.due = now // nothing is saved up while nothing is sent
	} else if owed := now.Add(gap(l.last, l.rate)); l.due.After(owed) {
		l.due = owed // the limit was lower
	}
	if !l.strict {
		l.by = now.Add(within)
		l.hurry()
	}
}

// hurry chooses the rate at which the rest of the frame is gone in time: more than before,
// where late wake-ups have cost some.
func (l *Lane) hurry() {
	if within := l.by.Sub(l.due); within > 0 && l.left > 0 {
		l.rate = max(l.rate, int64(min(float64(l.left)*8e9/float64(within), mostRate)))
	}
}

// Expected is how long the frame of so many bytes takes by a strict limit at least, and 0
// where none is set. More than MostSpread is more than it should take.
func (l *Lane) Expected(bytes int) time.Duration {
	if l.limit == 0 || !l.strict {
		return 0
	}
	return gap(bytes, l.limit)
}

// Next returns how many datagrams may leave at once, and when: at once, if that is not
// after now.
func (l *Lane) Next(now time.Time) (datagrams int, due time.Time) {
	if l.rate == 0 {
		return 1 << 20, now
	}
	due = l.due
	if g := gap(l.last, l.rate); g < grain && due.After(now) {
		due = due.Add(g)
	}
	if !l.by.IsZero() && due.After(l.by) {
		due = l.by // the rest leaves now
	}
	return Chunk, due
}

// Sent is told that bytes of IP packets have left at now. Who comes too late for the next
// chunk may send one more at once, so that a wait that is a little too long each time does not
// add up; what is later than that is not made up for, but by a higher rate where the frame has
// to be gone by a certain time.
func (l *Lane) Sent(now time.Time, bytes int) {
	l.sent = now
	if l.rate == 0 {
		return
	}
	g := gap(bytes, l.rate)
	if earliest := now.Add(-g); l.due.Before(earliest) {
		l.due = earliest
	}
	l.due = l.due.Add(g)
	l.left, l.last = l.left-bytes, bytes
	if !l.by.IsZero() {
		l.hurry()
	}
}

// Spread is how long after Begin the last chunk of the frame left.
func (l *Lane) Spread() time.Duration { return l.sent.Sub(l.first) }

// gap is how long bytes take at rate bit/s, which is not 0: at most 11 days.
func gap(bytes int, rate int64) time.Duration {
	return time.Duration(min(float64(max(bytes, 0))*8e9/float64(rate), 1e15))
}
