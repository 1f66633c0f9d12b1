package fragment

import (
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	// maxJump is how far ahead of the newest complete frame an ID may be and still
	// displace a frame in progress.
	maxJump = 64
	// maxGap bounds what one leap of the frame ID adds to Counters.Lost: 2^20 frames
	// are 4.8 hours at 60 a second, and more is a damaged number.
	maxGap = 1 << 20
)

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
	began   time.Time // when it was first heard of
	last    time.Time // when the last fragment was used
	retired ring      // frames given up since the newest complete one

	patience time.Duration // with fragments that are overtaken
	pause    time.Duration // the longest within recent frames
	interval time.Duration // between two frames' capture, of those sent to us; 0 = not known
	captured int64         // of the newest complete frame, µs
	margin   time.Duration // for answers, beside the round trip
	step     uint32        // frame IDs from one frame that is sent to us to the next; 0 = not known
	missing  uint64        // sequence numbers that had not come when the newest frame was complete
	dropped  bool          // something else of a newer frame was dropped, or given up, since
	again    uint32        // the last frame of which something was asked for twice
	anyAgain bool          // again is meaningful

	// For reports, see Progress.
	head      Opened
	anyHead   bool // head is meaningful
	bytes     uint64
	completed uint64
	givenUp   uint64
	arrivals  Arrivals // of frames that are not in progress any more
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

// find returns the slot in which id is, or may be, in progress; otherwise the
// counter under which its datagram is dropped. Age comes first: a stale datagram
// must never land in a newer frame's slot.
func (t *track) find(now time.Time, h *Header, c *Counters) (*slot, *uint64) {
	if t.any && !stream.Newer(h.Frame, t.newest) || t.retired.has(h.Frame) {
		if t.any && h.Frame == t.newest {
			return nil, &c.Dropped.Surplus
		}
		if h.Flags&FlagRepair == 0 && t.retired.has(h.Frame) {
			t.tardy()
		}
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
			t.dropped = true
			return nil, &c.Dropped.NoRoom
		}
		t.retire(oldest, &c.Incomplete.Evicted)
		free = oldest
	}
	free.begin(now, h)
	if !t.anyHead || stream.Newer(h.Frame, t.head.Frame) {
		t.head, t.anyHead = Opened{Frame: h.Frame, At: now, Captured: h.Captured}, true
	}
	c.Opened++
	free.opening = c.Opened
	return free, nil
}

// retire gives a frame up for one reason.
func (t *track) retire(s *slot, reason *uint64) {
	*reason++
	if t.completed == 0 {
		t.givenUp++
	}
	t.arrivals.add(s.arrivals())
	t.dropped = true
	t.retired.add(s.id)
	s.close()
}

// everyFrame is retireAll's yes to all.
func everyFrame(*slot) bool { return true }

// retireAll gives up every frame in progress that drop says yes to; t may be nil.
func (t *track) retireAll(reason *uint64, drop func(*slot) bool) {
	if t == nil {
		return
	}
	for i := range t.slots {
		if s := &t.slots[i]; s.open && drop(s) {
			t.retire(s, reason)
		}
	}
}

// inProgress is how many frames are open; t may be nil.
func (t *track) inProgress() (n int) {
	if t == nil {
		return 0
	}
	for i := range t.slots {
		if t.slots[i].open {
			n++
		}
	}
	return n
}

// place puts one fragment where it belongs, and returns the frame if that made it
// complete.
func (t *track) place(now time.Time, h *Header, payload []byte, cfg *Config, codes *codes, c *Counters) *stream.Frame {
	if !t.number(h.Sequence, c) {
		return nil
	}
	if h.Offset+h.Length > cfg.MaxFrame {
		c.Dropped.TooLarge++
		t.dropped = true
		return nil
	}
	s, drop := t.find(now, h, c)
	if s == nil {
		*drop++
		return nil
	}
	b := s.agree(h)
	if b == nil {
		c.Dropped.Inconsistent++
		return nil
	}
	return t.add(now, s, b, h.DataFragments(), h, payload, cfg, codes, c)
}

// number records a datagram's sequence number. False means that it is dropped for it.
func (t *track) number(n uint64, c *Counters) bool {
	switch t.seq.check(n) {
	case again:
		c.Dropped.Duplicate++
		return false
	case stale:
		c.Dropped.Late++
		return false
	case farAhead:
		c.Dropped.Inconsistent++
		return false
	}
	t.seq.see(n)
	return true
}

// add puts a fragment of b, which has k of data, where it belongs.
func (t *track) add(now time.Time, s *slot, b *block, k int, h *Header, payload []byte, cfg *Config, codes *codes, c *Counters) *stream.Frame {
	switch {
	case !b.have.set(h.Index):
		c.Dropped.Duplicate++
		return nil
	case b.got == k:
		c.Dropped.Surplus++
		return nil
	}
	if end := h.Offset + h.Length; end > s.extent {
		s.grow(cfg, t.size+t.size/4, end)
	}
	c.Used++
	t.used, t.last = t.used+1, now
	if h.Flags&FlagRepair != 0 {
		s.repaired, s.fails = true, 0
	} else if s.note(now, h, t.patience) {
		t.tardy()
	}
	if b.got+len(b.parked)+1 < k {
		s.keep(b, h, k, payload)
		return nil
	}
	rebuilt, err := s.finish(b, h, k, payload, codes)
	if err != nil || !s.sound(b) {
		t.retire(s, &c.Incomplete.Broken)
		return nil
	}
	if rebuilt > 0 {
		c.Recovered += uint64(rebuilt)
		s.rebuilt = true
	}
	if s.done++; s.count == 0 || s.done < s.count {
		return nil
	}
	return t.complete(now, s, c)
}

// complete hands the frame out at now and gives up all older ones.
func (t *track) complete(now time.Time, s *slot, c *Counters) *stream.Frame {
	size := s.size()
	if size == 0 {
		t.retire(s, &c.Incomplete.Broken)
		return nil
	}
	f := s.frame
	f.JPEG, f.ID, f.Captured = f.JPEG[:size], s.id, time.UnixMicro(s.captured)
	f.First, f.Ready = s.began, now
	s.open, s.frame = false, nil
	t.size = size
	t.advance(s, c)
	t.retired = ring{}
	c.Complete++
	t.completed++
	t.arrivals.add(s.arrivals())
	switch {
	case s.repaired:
		c.Repaired++
	case s.rebuilt:
		c.Rebuilt++
	}
	return f
}

// advance makes s, which is complete or was made whole, the newest frame, and gives up all older ones.
func (t *track) advance(s *slot, c *Counters) {
	ids, missing := s.id-t.newest, t.seq.lost()
	if !t.any {
		ids = 0
	}
	t.any, t.newest = true, s.id
	t.retireAll(&c.Incomplete.Superseded, func(o *slot) bool { return !stream.Newer(o.id, t.newest) })
	if missing <= t.missing && !t.dropped { // what lies between was not sent to us: it has used no numbers
		t.step = ids
	}
	if t.step = min(max(t.step, 1), ids); 0 < ids && ids <= maxGap {
		sent := ids / t.step
		c.Lost += uint64(sent - 1)
		c.LeftOut += uint64(ids - sent)
	}
	t.learn(s, ids)
	t.missing, t.dropped, t.captured = missing, false, s.captured
}
