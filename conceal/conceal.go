// Package conceal makes a whole JPEG of a frame of which a part was lost for good:
// the strips that are missing are taken, undecoded, from the frame shown before. It
// works on pictures with restart markers (see codec.Strips); others cannot be mended.
package conceal

import (
	"slices"
	"sync"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// Counters count since the start. Tried = Filled + Dropped.Sum().
type Counters struct {
	Tried   uint64  `json:"tried"`  // incomplete frames given to Fill
	Filled  uint64  `json:"filled"` // of which a whole JPEG was made
	Strips  uint64  `json:"strips"` // taken from earlier frames for that
	Dropped Dropped `json:"dropped"`
}

// Dropped counts frames of which no JPEG could be made, by reason.
type Dropped struct {
	Missing   uint64 `json:"missing"`   // more than half of the strips are
	Unlike    uint64 `json:"unlike"`    // there is no earlier frame of the same size and tables
	Uncertain uint64 `json:"uncertain"` // it has no strips, or too much is missing to tell them apart
}

// Sum is all dropped frames.
func (d *Dropped) Sum() uint64 { return d.Missing + d.Unlike + d.Uncertain }

// Filler keeps the frame shown last. It may be used from any goroutine. In steady state
// it allocates nothing.
type Filler struct {
	mu         sync.Mutex
	last       *stream.Frame // held once; nil before the first
	generation uint8         // of last's header
	found      bool          // earlier are last's strips
	earlier    codec.Strips
	now        codec.Strips
	holes      []codec.Hole
	pool       stream.Pool
	room       int // bytes; what the next JPEG probably needs
	counters   Counters
}

// Whole takes note of a frame that is shown as it came. It keeps it until the next one.
// generation is that of the bytes before its first scan; 0 if the sender does not tell.
func (f *Filler) Whole(frame *stream.Frame, generation uint8) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(frame.Retain(), generation)
}

// keep takes over the caller's reference.
func (f *Filler) keep(frame *stream.Frame, generation uint8) {
	if f.last != nil {
		f.last.Release()
	}
	f.last, f.generation, f.found = frame, generation, false
}

// Fill makes a whole frame of part, whose JPEG has gaps, in order and within it; what the
// bytes in them are does not matter. Behind the last gap there may be more of the JPEG than
// its length says: open tells that nobody knows where it ends. Fill may write into the gaps.
// The result is held once by the caller; nil if there is nothing to show. part stays the caller's.
func (f *Filler) Fill(part *stream.Frame, generation uint8, gaps []fragment.Gap, open bool) *stream.Frame {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counters.Tried++
	if f.last == nil {
		f.counters.Dropped.Unlike++
		return nil
	}
	if !f.found {
		f.found = f.earlier.Find(f.last.JPEG) == nil
	}
	if !f.found || f.earlier.Len() < 2 {
		f.counters.Dropped.Uncertain++
		return nil
	}
	f.holes = f.holes[:0]
	for _, g := range gaps {
		f.holes = append(f.holes, codec.Hole{From: g.From, To: g.To})
	}
	if open {
		f.extend(part)
	}
	if !f.behead(part, generation) {
		f.counters.Dropped.Unlike++
		return nil
	}
	if err := f.now.FindAround(part.JPEG, f.holes); err != nil {
		f.counters.Dropped.Uncertain++
		return nil
	}
	if 2*f.now.Lost() > f.now.Len() {
		f.counters.Dropped.Missing++
		return nil
	}
	out := f.pool.Get(max(f.room, len(part.JPEG)+len(part.JPEG)/4))
	jpeg, strips, err := f.now.AppendConcealed(out.JPEG, &f.earlier)
	if err != nil {
		out.Release()
		f.counters.Dropped.Unlike++
		return nil
	}
	f.room = cap(jpeg)
	out.JPEG = jpeg
	out.ID, out.Captured, out.First, out.Ready = part.ID, part.Captured, part.First, part.Ready
	out.Width, out.Height, out.Ahead, out.Synced = part.Width, part.Height, part.Ahead, part.Synced
	f.counters.Filled++
	f.counters.Strips += uint64(strips)
	f.keep(out.Retain(), generation)
	return out
}

// extend makes the end of part a hole: what is behind it was lost, too.
func (f *Filler) extend(part *stream.Frame) {
	end := len(part.JPEG)
	part.JPEG = append(part.JPEG, 0)
	if n := len(f.holes); n > 0 && f.holes[n-1].To == end {
		f.holes[n-1].To++
		return
	}
	f.holes = append(f.holes, codec.Hole{From: end, To: end + 1})
}

// behead sees to it that the bytes before the first strip are there: where they are lost they
// are the last frame's, if the sender says that they have not changed.
func (f *Filler) behead(part *stream.Frame, generation uint8) bool {
	head := f.earlier.Head()
	if len(f.holes) == 0 || f.holes[0].From >= len(head) {
		return true // and if it is longer than the last one's, it is another
	}
	if generation == 0 || generation != f.generation || len(part.JPEG) < len(head) {
		return false
	}
	copy(part.JPEG, head)
	f.holes = slices.DeleteFunc(f.holes, func(h codec.Hole) bool { return h.To <= len(head) })
	if len(f.holes) > 0 {
		f.holes[0].From = max(f.holes[0].From, len(head))
	}
	return true
}

// Counters are the figures up to now.
func (f *Filler) Counters() Counters {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counters
}

// Close gives the frame that is kept back.
func (f *Filler) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil {
		f.last.Release()
		f.last = nil
	}
}
