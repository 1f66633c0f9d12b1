package stream

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Frame is one picture between capture and display. See the package comment for
// who owns it and for how long.
type Frame struct {
	ID       uint32    // serial number, wraps: compare with Newer
	Captured time.Time // when the device delivered the picture, by the sender's clock
	First    time.Time // when its first byte came from the network; zero for a frame that did not
	Ready    time.Time // when it was whole here: encoded, or received; set by Pump where the Source does not know
	JPEG     []byte    // one complete JPEG image
	Width    int       // pixels; 0 where nobody has looked yet
	Height   int       // pixels; 0 where nobody has looked yet

	// Ahead is how far the clock of Captured is ahead of this machine's, once Synced says
	// that this is known; until then, and for frames of this machine, it is zero.
	Ahead  time.Duration
	Synced bool

	refs atomic.Int32
	pool *Pool // nil for a frame whose buffer is not reused
}

// NewFrame returns a frame around jpeg, which it takes over, held once by the
// caller and belonging to no pool.
func NewFrame(jpeg []byte) *Frame {
	f := &Frame{JPEG: jpeg}
	f.refs.Store(1)
	return f
}

// Age is how old the picture is at now, as far as the clocks are known.
func (f *Frame) Age(now time.Time) time.Duration { return now.Sub(f.Captured) + f.Ahead }

// Retain adds a reference and returns f. The caller must hold one already.
func (f *Frame) Retain() *Frame {
	if n := f.refs.Add(1); n < 2 {
		panic(fmt.Sprintf("stream: Retain of frame %d, which nobody holds", f.ID))
	}
	return f
}

// Release gives one reference back. With the last one the buffer returns to its
// pool, and f and f.JPEG must not be touched again.
func (f *Frame) Release() {
	switch n := f.refs.Add(-1); {
	case n < 0:
		panic(fmt.Sprintf("stream: Release of frame %d, which nobody holds", f.ID))
	case n == 0 && f.pool != nil:
		f.pool.put(f)
	}
}

// Newer reports whether frame ID a comes after b, by the serial number arithmetic
// of RFC 1982 section 3.2: IDs wrap, and a is newer when it is less than half the
// circle ahead. For two IDs exactly half the circle apart it is false both ways.
func Newer(a, b uint32) bool { return int32(a-b) > 0 }
