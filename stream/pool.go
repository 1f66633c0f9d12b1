package stream

import (
	"sync"
	"time"
)

// maxIdle is how many unused frames a pool keeps. A pipeline holds one frame per
// stage and one per mailbox; 8 covers both ends of a link in one process.
const maxIdle = 8

// Pool hands out frames whose buffers are reused, so that a stream in steady
// state allocates nothing (fresh 6 MB buffers cost 2000 page faults each). It
// keeps at most maxIdle unused frames; the zero value is ready to use, from any
// number of goroutines.
type Pool struct {
	mu   sync.Mutex
	idle []*Frame
}

// Get returns a frame held once by the caller, with all fields zero but JPEG,
// which is empty and has room for at least size bytes.
func (p *Pool) Get(size int) *Frame {
	f := p.take()
	if f == nil {
		f = &Frame{pool: p}
	}
	if cap(f.JPEG) < size {
		f.JPEG = make([]byte, 0, roundUp(size))
	}
	f.JPEG = f.JPEG[:0]
	f.refs.Store(1)
	return f
}

func (p *Pool) take() *Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	f := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return f
}

func (p *Pool) put(f *Frame) {
	if checked {
		poison(f)
		return // never reused: a stale pointer cannot meet a new frame
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < maxIdle {
		f.ID, f.Width, f.Height, f.Ahead, f.Synced = 0, 0, 0, 0, false
		f.Captured, f.First, f.Ready = time.Time{}, time.Time{}, time.Time{}
		p.idle = append(p.idle, f)
	}
}

// roundUp gives a buffer room to grow: sizes vary from frame to frame, and steps
// of 64 KiB keep a slowly growing stream from allocating every time.
func roundUp(n int) int { return (n + 1<<16 - 1) &^ (1<<16 - 1) }

// poison overwrites what f held, so that a use after Release shows at once.
func poison(f *Frame) {
	b := f.JPEG[:cap(f.JPEG)]
	for n := copy(b, "\xDB"); n < len(b); n *= 2 { // a byte at a time takes 50 times as long
		copy(b[n:], b[:n])
	}
	f.JPEG = nil
}
