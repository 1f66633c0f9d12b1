package stream

import (
	"context"
	"sync"
	"sync/atomic"
)

// Mailbox holds at most one frame: a newer one replaces it. Any number of
// goroutines may Put; one takes. Use NewMailbox.
type Mailbox struct {
	mu       sync.Mutex
	frame    *Frame
	end      error         // set by Close
	passed   []Overtaken   // since the last frame was taken
	ready    chan struct{} // holds a token while frame or end may be news
	replaced atomic.Uint64
}

// NewMailbox returns an empty mailbox.
func NewMailbox() *Mailbox { return &Mailbox{ready: make(chan struct{}, 1)} }

// Put leaves f for Take, taking over the caller's reference. It never blocks: a
// frame still waiting is released and counted. After Close, f is released.
func (m *Mailbox) Put(f *Frame) {
	m.mu.Lock()
	old := m.frame
	if m.end != nil {
		old = f
	} else {
		m.frame = f
		if old != nil {
			m.replaced.Add(1)
			m.passed = noted(m.passed, old)
		}
	}
	m.mu.Unlock()
	if old != nil {
		old.Release()
	}
	m.wake()
}

// Take waits for a frame and returns it, held once by the caller. After Close it
// returns the frame that still waits, then the error given to Close. When ctx is
// done it returns context.Cause(ctx). Of frames that were replaced meanwhile it tells
// who asked for it with WithOvertaken.
func (m *Mailbox) Take(ctx context.Context) (*Frame, error) {
	for {
		if f, err := m.tryTake(ctx); f != nil || err != nil {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-m.ready:
		}
	}
}

// TryTake is Take without waiting: both results are nil when nothing waits.
func (m *Mailbox) TryTake() (*Frame, error) { return m.tryTake(context.Background()) }

func (m *Mailbox) tryTake(ctx context.Context) (*Frame, error) {
	note, _ := ctx.Value(overtakenKey{}).(func(Overtaken))
	m.mu.Lock()
	f, end := m.frame, m.end
	if f == nil {
		m.mu.Unlock()
		return nil, end
	}
	m.frame = nil
	var passed []Overtaken
	if note != nil {
		passed, m.passed = m.passed, nil
	} else {
		m.passed = m.passed[:0]
	}
	if end != nil {
		m.wake() // the token was for both, and the end is still to be told
	}
	m.mu.Unlock()
	for _, o := range passed {
		note(o)
	}
	return f, nil
}

// Ready receives a token when there may be something to take: for a select beside
// other events, followed by TryTake.
func (m *Mailbox) Ready() <-chan struct{} { return m.ready }

// Close ends the mailbox: Take returns what still waits, then err (not nil). Only
// the first call counts. Nothing put later is kept.
func (m *Mailbox) Close(err error) {
	m.mu.Lock()
	if m.end == nil {
		m.end = err
	}
	m.mu.Unlock()
	m.wake()
}

// Drain closes the mailbox and releases a frame that still waits.
func (m *Mailbox) Drain(err error) {
	m.Close(err)
	if f, _ := m.TryTake(); f != nil {
		f.Release()
	}
}

// Replaced is how many frames were replaced by a newer one before they were taken.
func (m *Mailbox) Replaced() uint64 { return m.replaced.Load() }

func (m *Mailbox) wake() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}
