package fragment

import (
	"net/netip"
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	// maxJump is how far ahead of the newest complete frame an ID may be and still
	// displace a frame in progress, and how far behind it is still mere reordering.
	maxJump = 64
	// maxGap bounds what one leap of the frame ID adds to Counters.Lost: 2^20 frames
	// are 4.8 hours at 60 a second, and more is a damaged number.
	maxGap = 1 << 20
)

// source is who sends: a session counts only together with its address.
type source struct {
	addr    netip.AddrPort
	session uint64
}

// track is what is known of one source: its frames in progress and what has come
// of its sequence.
type track struct {
	from    source
	seq     sequences
	slots   []slot
	any     bool      // newest is meaningful
	newest  uint32    // newest complete frame
	size    int       // of the newest complete frame, in bytes
	used    uint64    // fragments used
	last    time.Time // when the last one was used
	retired ring      // frames given up since the newest complete one
}

// ring remembers the last few IDs: what is still on its way to a frame that was
// given up must not open it again.
type ring struct {
	ids [16]uint32
	n   int // ever added
}

func (r *ring) add(id uint32) { r.ids[r.n%len(r.ids)] = id; r.n++ }

func (r *ring) has(id uint32) bool {
	for i := range min(r.n, len(r.ids)) {
		if r.ids[i] == id {
			return true
		}
	}
	return false
}

// plausible reports whether h can be this track's next: neither its frame ID nor
// its sequence number is so far off that the network cannot have reordered it. When
// it is, the sender's numbering, or ours by a damaged datagram, has gone wrong.
func (t *track) plausible(h *Header) bool {
	if t.any && !stream.Newer(h.Frame, t.newest) && t.newest-h.Frame > maxJump {
		return false
	}
	v := t.seq.check(h.Sequence)
	return v != stale && v != farAhead
}

// find returns the slot in which id is, or may be, in progress; otherwise the
// counter under which its datagram is dropped. Age comes first: a stale datagram
// must never land in a newer frame's slot.
func (t *track) find(now time.Time, h *Header, c *Counters) (*slot, *uint64) {
	if t.any && !stream.Newer(h.Frame, t.newest) || t.retired.has(h.Frame) {
		return nil, &c.Dropped.Late
	}
	var free, oldest *slot
	for i := range t.slots {
		switch s := &t.slots[i]; {
		case !s.open:
			free = s
		case s.id == h.Frame:
			return s, nil
		case oldest == nil || stream.Newer(oldest.id, s.id):
			oldest = s
		}
	}
	if free == nil {
		if !stream.Newer(h.Frame, oldest.id) || t.any && h.Frame-t.newest > maxJump {
			return nil, &c.Dropped.NoRoom
		}
		t.retire(oldest, &c.Incomplete.Evicted)
		free = oldest
	}
	free.begin(now, h)
	c.Opened++
	return free, nil
}

// retire gives a frame up for one reason.
func (t *track) retire(s *slot, reason *uint64) {
	*reason++
	t.retired.add(s.id)
	s.close()
}

// everyFrame is retireAll's yes to all.
func everyFrame(*slot) bool { return true }

// retireAll gives up every frame in progress that drop says yes to.
func (t *track) retireAll(reason *uint64, drop func(*slot) bool) {
	for i := range t.slots {
		if s := &t.slots[i]; s.open && drop(s) {
			t.retire(s, reason)
		}
	}
}

// place puts one fragment where it belongs, and returns the frame if that made it
// complete.
func (t *track) place(now time.Time, h *Header, payload []byte, pool *stream.Pool, c *Counters) *stream.Frame {
	switch t.seq.check(h.Sequence) {
	case again:
		c.Dropped.Duplicate++
		return nil
	case stale:
		c.Dropped.Late++
		return nil
	case farAhead:
		c.Dropped.Inconsistent++
		return nil
	}
	t.seq.see(h.Sequence)
	s, drop := t.find(now, h, c)
	if s == nil {
		*drop++
		return nil
	}
	b, k := s.agree(h), h.DataFragments()
	switch {
	case b == nil:
		c.Dropped.Inconsistent++
		return nil
	case int(h.Index) >= k: // parity: version 1 senders without repair send none
		c.Dropped.Surplus++
		return nil
	case !b.have.set(h.Index):
		c.Dropped.Duplicate++
		return nil
	}
	s.put(pool, t.size+t.size/4, h, payload)
	c.Used++
	t.used, t.last = t.used+1, now
	if b.got++; b.got < k {
		return nil
	}
	if !s.sound(b) {
		t.retire(s, &c.Incomplete.Broken)
		return nil
	}
	if s.done++; s.count == 0 || s.done < s.count {
		return nil
	}
	return t.complete(s, c)
}

// complete hands the frame out and gives up all older ones.
func (t *track) complete(s *slot, c *Counters) *stream.Frame {
	size := s.size()
	if size == 0 {
		t.retire(s, &c.Incomplete.Broken)
		return nil
	}
	f := s.frame
	f.JPEG, f.ID, f.Captured = f.JPEG[:size], s.id, time.UnixMicro(s.captured)
	s.open, s.frame = false, nil
	if gap := s.id - t.newest - 1; t.any && gap < maxGap {
		c.Lost += uint64(gap)
	}
	t.any, t.newest, t.size = true, s.id, size
	t.retireAll(&c.Incomplete.Superseded, func(o *slot) bool { return !stream.Newer(o.id, t.newest) })
	t.retired = ring{}
	c.Complete++
	return f
}
