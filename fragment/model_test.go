package fragment

import (
	"maps"
	"slices"
	"time"
)

// model says what a Reassembler with the default Config must do with undamaged
// datagrams. It is docs/PROTOCOL.md, section 5, written with maps and lists and with
// no thought of speed or memory; it never looks at a byte of the pictures.
type model struct {
	followed   *modelTrack
	candidates []*modelTrack
	// kept says whether a source has a place after this datagram. It is asked where
	// "has just sent twice" decides, which is a matter of what else came meanwhile.
	kept func(source) bool
	// unsure: of frames given up at the same time it is open which was last, and so
	// which of them are among the last 16.
	unsure bool
	// Frames that repairs, or else parity, were needed for, and data fragments that it stood in for.
	repaired, rebuilt, recovered uint64
}

type modelTrack struct {
	from        source
	came        map[uint64]bool
	highest     uint64
	open        map[uint32]*modelFrame
	room        int
	shown       []uint32 // complete frames, the newest last
	givenUp     []uint32 // since the newest complete one; the last 16 count
	used        int
	began, last time.Time
}

type modelFrame struct {
	began  time.Time
	last   time.Time // of its fragments, those that were sent again left out
	blocks map[int]*modelBlock
	parity bool
	again  bool // a fragment that was sent again was used
}

type modelBlock struct {
	have  map[int]bool // fragments, also those that were not needed
	data  int          // of which are data
	whole bool
}

// modelDatagram is all that the model is told.
type modelDatagram struct {
	from   source
	seq    uint64
	frame  uint32
	block  int
	of     int  // blocks of the frame
	index  int  // in the block
	needed int  // fragments of the block
	again  bool // it was sent again
}

// What push says became of a datagram, in the words of Dropped's JSON.
const (
	modelUsed     = "used"
	modelComplete = "complete"
)

func newer(a, b uint32) bool { return a != b && a-b < 1<<31 }

func (m *model) push(now time.Time, d modelDatagram) string {
	t := m.pick(now, d)
	if t == nil {
		return "stranger"
	}
	if i := slices.Index(t.givenUp, d.frame); i >= 0 {
		behind := len(t.givenUp) - i
		m.unsure = behind > 13 && behind < 20
	}
	verdict := t.push(m, now, d)
	if verdict == modelComplete && t != m.followed {
		t.room = 4
		m.followed, m.candidates = t, nil
	}
	return verdict
}

func (m *model) pick(now time.Time, d modelDatagram) *modelTrack {
	if t := m.followed; t != nil {
		live := now.Sub(t.last) < 500*time.Millisecond
		if t.from == d.from && (live || t.goesOn(d)) {
			return t
		}
		if live {
			return nil
		}
	}
	m.candidates = slices.DeleteFunc(m.candidates, func(t *modelTrack) bool {
		idle := now.Sub(t.last)
		return idle > 2*time.Second || idle > 200*time.Millisecond && t.used < 2
	})
	for i, t := range m.candidates {
		if t.from == d.from && t.goesOn(d) {
			return t
		}
		if t.from == d.from {
			m.candidates = slices.Delete(m.candidates, i, i+1)
			break
		}
	}
	if len(m.candidates) == 2 {
		weak := slices.IndexFunc(m.candidates, func(t *modelTrack) bool {
			return (t.used < 2 || now.Sub(t.began) > time.Second) && !m.kept(t.from)
		})
		if weak < 0 || !m.kept(d.from) {
			return nil
		}
		m.candidates = slices.Delete(m.candidates, weak, weak+1)
	}
	t := &modelTrack{from: d.from, came: map[uint64]bool{}, open: map[uint32]*modelFrame{}, room: 1, began: now, last: now}
	m.candidates = append(m.candidates, t)
	return t
}

func (t *modelTrack) goesOn(d modelDatagram) bool {
	if t.tooOld(d.seq) || t.tooFar(d.seq) {
		return false
	}
	return t.came[d.seq] || t.isNew(d.frame)
}

func (t *modelTrack) tooOld(seq uint64) bool {
	return len(t.came) > 0 && seq < t.highest && t.highest-seq >= 4096
}

func (t *modelTrack) tooFar(seq uint64) bool {
	return len(t.came) > 0 && seq > t.highest && seq-t.highest > 1<<24
}

func (t *modelTrack) isNew(frame uint32) bool {
	return len(t.shown) == 0 || newer(frame, t.shown[len(t.shown)-1])
}

func (t *modelTrack) push(m *model, now time.Time, d modelDatagram) string {
	switch {
	case t.tooOld(d.seq):
		return "late"
	case t.tooFar(d.seq):
		return "inconsistent"
	case t.came[d.seq]:
		return "duplicate"
	}
	t.came[d.seq] = true
	t.highest = max(t.highest, d.seq)
	if len(t.shown) > 0 && d.frame == t.shown[len(t.shown)-1] {
		return "surplus"
	}
	if !t.isNew(d.frame) || slices.Contains(t.givenUp[max(0, len(t.givenUp)-16):], d.frame) {
		return "late"
	}
	f := t.open[d.frame]
	if f == nil {
		if f = t.start(now, d.frame); f == nil {
			return "no_room"
		}
	}
	b := f.blocks[d.block]
	if b == nil {
		b = &modelBlock{have: map[int]bool{}}
		f.blocks[d.block] = b
	}
	if b.have[d.index] {
		return "duplicate"
	}
	b.have[d.index] = true
	if b.whole {
		return "surplus"
	}
	t.used++
	t.last = now
	f.again = f.again || d.again
	if !d.again {
		f.last = now
	}
	if d.index < d.needed {
		b.data++
	}
	if len(b.have) < d.needed {
		return modelUsed
	}
	b.whole = true
	if lost := d.needed - b.data; lost > 0 {
		m.recovered += uint64(lost)
		f.parity = true
	}
	if len(f.blocks) < d.of {
		return modelUsed
	}
	for _, b := range f.blocks {
		if !b.whole {
			return modelUsed
		}
	}
	switch {
	case f.again:
		m.repaired++
	case f.parity:
		m.rebuilt++
	}
	delete(t.open, d.frame)
	t.shown, t.givenUp = append(t.shown, d.frame), nil
	for id := range t.open {
		if !newer(id, d.frame) {
			delete(t.open, id)
		}
	}
	return modelComplete
}

// start opens a frame if it may be opened.
func (t *modelTrack) start(now time.Time, id uint32) *modelFrame {
	if len(t.open) == t.room {
		var oldest uint32
		first := true
		for other := range t.open {
			if first || newer(oldest, other) {
				oldest, first = other, false
			}
		}
		if !newer(id, oldest) || len(t.shown) > 0 && id-t.shown[len(t.shown)-1] > 64 {
			return nil
		}
		delete(t.open, oldest)
		t.givenUp = append(t.givenUp, oldest)
	}
	t.open[id] = &modelFrame{began: now, last: now, blocks: map[int]*modelBlock{}}
	return t.open[id]
}

func (m *model) expire(now time.Time) {
	all := m.candidates
	if m.followed != nil {
		all = append(slices.Clone(all), m.followed)
	}
	for _, t := range all {
		for _, id := range slices.Collect(maps.Keys(t.open)) {
			if f := t.open[id]; now.Sub(f.last) >= 100*time.Millisecond || now.Sub(f.began) >= time.Second {
				delete(t.open, id)
				t.givenUp = append(t.givenUp, id)
			}
		}
	}
}

// inProgress is how many frames of the followed sender are open.
func (m *model) inProgress() int {
	if m.followed == nil {
		return 0
	}
	return len(m.followed.open)
}
