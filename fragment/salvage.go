package fragment

import (
	"time"

	"github.com/framegram/framegram/stream"
)

// Filler makes whole frames of those of which a part is lost for good; package conceal has one. Its
// methods are called by whoever calls the Reassembler's.
type Filler interface {
	// Whole takes note of a frame that has come whole. It borrows it, and may retain it. generation is
	// that of the bytes before its first scan's data, 0 if the sender does not tell.
	Whole(f *stream.Frame, generation uint8)
	// Fill makes a frame of part, of which the gaps have not come: they are in order, and what is in
	// them does not matter. open says that part may go on behind its end. Fill borrows part, may write to it, and returns
	// a frame held once, or nil.
	Fill(part *stream.Frame, generation uint8, gaps []Gap, open bool) *stream.Frame
}

// giveUp retires s for one reason, but shows it if its gaps can be filled.
func (r *Reassembler) giveUp(now time.Time, t *track, s *slot, reason *uint64) {
	f := r.fill(now, t, s)
	t.retire(s, reason)
	if f != nil {
		r.takeFilled().Release()
		r.filled = f
		r.c.Concealed++
		t.advance(s, &r.c)
	}
}

// Filled is the newest frame that was given up and made whole all the same since the last call, held once
// by the caller, or nil. It is newer than all that Push had returned when it was made.
func (r *Reassembler) Filled() *stream.Frame {
	if r.filled == nil {
		return nil
	}
	return r.takeFilled()
}

// none stands in where no frame waits.
var none = stream.NewFrame(nil)

func (r *Reassembler) takeFilled() *stream.Frame {
	f := r.filled
	if r.filled = nil; f == nil {
		return none.Retain()
	}
	return f
}

// fill has the filler make a frame of what there is of s; nil if it cannot.
func (r *Reassembler) fill(now time.Time, t *track, s *slot) *stream.Frame {
	if r.cfg.Filler == nil || t != r.followed || s.frame == nil || t.any && !stream.Newer(s.id, t.newest) {
		return nil
	}
	end, open := s.gaps(&r.gaps)
	if end == 0 {
		return nil
	}
	f := s.frame
	f.JPEG, f.ID, f.Captured, f.First, f.Ready = f.JPEG[:end], s.id, time.UnixMicro(s.captured), s.began, now
	return r.cfg.Filler.Fill(f, s.generation, r.gaps, open)
}

// gaps lists what has not come up to the end of what is known, and reports whether there may be more.
func (s *slot) gaps(list *[]Gap) (end int, open bool) {
	all := (*list)[:0]
	miss := func(from, to int) {
		if n := len(all); n > 0 && all[n-1].To >= from {
			all[n-1].To = max(all[n-1].To, to)
		} else if to > from {
			all = append(all, Gap{from, to})
		}
	}
	for i := range s.blocks {
		b := &s.blocks[i]
		if b.length == 0 {
			continue
		}
		if b.offset < end { // its place cannot be: what was said of the blocks is not true
			return 0, false
		}
		miss(end, b.offset)
		end = b.offset + b.length
		k := (b.length + s.shard - 1) / s.shard
		for j := 0; j < k && b.got < k; j++ {
			if !b.have.has(uint8(j)) {
				miss(b.offset+j*s.shard, min(b.offset+(j+1)*s.shard, end))
			}
		}
	}
	*list = all
	last := len(s.blocks) - 1
	return end, s.count == 0 || s.count > len(s.blocks) || s.blocks[last].length == 0
}
