package udp

import (
	"context"
	"os"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp/pace"
)

const (
	// sendPatience is how long a frame may wait for room in the send buffers when nobody
	// else waits for it to end; by then it is old.
	sendPatience = 250 * time.Millisecond
	// roomSlice is how long one destination is waited for while others may have got room.
	roomSlice = 2 * time.Millisecond
	// endSlice is how long it is waited for before anybody looks whether the run is over.
	endSlice = 50 * time.Millisecond
)

// flight is one frame on its way to all destinations. They take turns: each sends a
// chunk, so that none waits until another has its whole frame; one that has no room in its
// send buffer is passed over. What is left when only such ones remain is waited for until
// the next frame is nearly due: nobody else loses anything by that.
type flight struct {
	cut       *fragment.Splitter
	datagrams []fragment.Datagram
	lanes     []*lane
	riders    int // that have set out
	arrived   int // that have sent their last datagram, or given up for a reason of their own
	began     time.Time
	interval  time.Duration // until the next frame, as far as can be told
	waiter    pace.Waiter
}

// fly returns when every rider has sent its frame, or has had to give it up.
func (f *flight) fly(ctx context.Context) {
	defer f.waiter.End()
	for ctx.Err() == nil {
		next, stuck := f.lap()
		switch {
		case !next.IsZero():
			f.waiter.Until(next)
		case stuck == nil:
			return
		case !f.await(stuck):
			f.abandon(os.ErrDeadlineExceeded)
			return
		}
	}
	f.abandon(nil) // the run is over, which is nobody's trouble
}

// lap has every lane send what it may now. It returns when the next chunk may leave, zero
// if none is held back by its lane, and somebody who has no room, nil if there is no one.
func (f *flight) lap() (next time.Time, stuck *destination) {
	for _, l := range f.lanes {
		due, full := l.lap(f)
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
		if full != nil {
			stuck = full
		}
	}
	return next, stuck
}

// await waits until d, or somebody else perhaps, has room. False means that it is time
// to give up.
func (f *flight) await(d *destination) bool {
	limit := f.began.Add(sendPatience)
	if f.arrived > 0 {
		limit = f.began.Add(min(f.interval*3/4, sendPatience))
	}
	now := time.Now()
	if !now.Before(limit) {
		return false
	}
	slice := endSlice
	if f.riders-f.arrived > 1 {
		slice = roomSlice
	}
	if limit.Sub(now) > slice {
		limit = now.Add(slice)
	}
	err := d.writer.WaitRoom(limit)
	return err == nil || isLate(err)
}

// abandon gives up what has not been sent, for want of room or of time.
func (f *flight) abandon(why error) {
	for _, l := range f.lanes {
		for _, d := range l.riders {
			d.giveUp(why)
		}
		l.riders = l.riders[:0]
	}
}
