package fragment

import (
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	// leastPatience and mostPatience bound how long a fragment may be overtaken before it
	// is taken for lost. Networks that reorder do it by a few datagrams; some by milliseconds.
	leastPatience = 300 * time.Microsecond
	mostPatience  = 5 * time.Millisecond
	// mostTail bounds how long after a frame's last fragment the others are waited for.
	mostTail = 25 * time.Millisecond
)

// progress is how far a frame has come, in the order in which senders send: what stands before
// another fragment that came, and has not come itself, may be lost. Repairs do not count.
type progress struct {
	high, mark, settled int       // places in that order: reached, reached at marked, and reached long enough ago
	marked              time.Time // when the place mark was taken
	latest              time.Time // last fragment; at first, when the frame began, as by one that came again
	pause               time.Duration
	count               int       // fragments that came
	first               time.Time // when the first of them did
	leading             int       // of which came at that moment; 0 until another has come
}

// place is where a fragment stands in the order of section 4 or, of a frame with parity, of section 7.
func (s *slot) place(block, index int) int {
	if s.interleaved {
		return index<<8 | block
	}
	return block<<8 | index
}

// before is how many of a block's places are before another.
func (s *slot) before(block, place int) int {
	n := place - block<<8
	if s.interleaved {
		n = (place - block + 255) >> 8
	}
	return min(max(n, 0), maxFragments)
}

// note takes account of a fragment that came at now, after patience at the earliest what it has
// overtaken is lost. It reports whether the fragment had been taken for lost itself.
func (s *slot) note(now time.Time, h *Header, patience time.Duration) (tardy bool) {
	if h.Flags&FlagRepair != 0 {
		return false
	}
	p := &s.progress
	if h.Parity > 0 {
		s.interleaved = true
	}
	place := s.place(int(h.Block), int(h.Index))
	p.count++
	if p.count == 1 {
		p.first = now
	}
	if now != p.latest { // those of one batch come at one time
		if p.count > 1 {
			p.pause = max(p.pause, now.Sub(p.latest))
			if p.leading == 0 {
				p.leading = p.count - 1
			}
		}
		p.latest = now
		p.settle(now, patience)
	}
	if place > p.high {
		p.high = place
		return false
	}
	return place < p.settled
}

// settle moves the place before which all that has not come is lost.
func (p *progress) settle(now time.Time, patience time.Duration) {
	if now.Sub(p.marked) >= patience {
		p.settled, p.mark, p.marked = p.mark, p.high, now
	}
}

// all is a place behind every fragment's.
const all = 1 << 20

// ended is when s has come to its end, all that has not come being lost: when a newer frame has been
// coming for some time, at by, which is zero as long as none has; or when none of its own has come for
// longer than its pace and its pauses, or those of the frames before, let expect.
func (t *track) ended(s *slot) (end, by time.Time) {
	p := &s.progress
	left := s.expected() - p.count
	tail := max(p.pause, t.pause)*2 + t.patience
	if !t.any && p.leading == 0 { // nobody knows yet over what time the sender spreads a frame
		tail = mostTail
	}
	if left > 0 && p.count > 1 {
		tail += p.latest.Sub(s.began) * time.Duration(left) / time.Duration(p.count)
	}
	for i := range t.slots {
		if o := &t.slots[i]; o.open && stream.Newer(o.id, s.id) {
			by = sooner(by, o.began.Add(t.patience))
		}
	}
	return sooner(p.latest.Add(min(tail, mostTail)), by), by
}

// expected is how many fragments the frame has, as far as can be told.
func (s *slot) expected() int {
	n, known := 0, 0
	for i := range s.blocks {
		if b := &s.blocks[i]; b.length > 0 {
			n += b.data(s.shard) + int(b.parity)
			known++
		}
	}
	if known > 0 && s.count > known {
		n += n / known * (s.count - known)
	}
	return n
}

// learn takes account of what the frame in s tells about frames to come. It is so many IDs behind the newest
// before, 0 if there is none.
func (t *track) learn(s *slot, ids uint32) {
	if s.progress.count > 1 {
		t.pause = max(s.progress.pause, t.pause*7/8)
	}
	t.patience = max(t.patience-t.patience/64, leastPatience)
	t.margin = max(t.margin-t.margin/64, askMargin)
	if 0 < ids && ids < 16 && s.captured > t.captured {
		gap := time.Duration(s.captured-t.captured) * time.Microsecond / time.Duration(ids) * time.Duration(t.step)
		if t.interval == 0 || gap < t.interval/2 || gap > t.interval*2 {
			t.interval = gap
		} else {
			t.interval += (gap - t.interval) / 8
		}
	}
}

// tardy takes account of a fragment that came after it was taken for lost.
func (t *track) tardy() { t.patience = min(t.patience*2, mostPatience) }
