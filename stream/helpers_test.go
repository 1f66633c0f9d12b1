package stream_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// ledger is a pool that knows whether all its frames came back.
type ledger struct {
	pool   stream.Pool
	mu     sync.Mutex
	frames map[*stream.Frame]bool
}

func (l *ledger) get(id uint32) *stream.Frame {
	f := l.pool.Get(16)
	f.ID, f.JPEG = id, append(f.JPEG, byte(id))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frames == nil {
		l.frames = map[*stream.Frame]bool{}
	}
	l.frames[f] = true // an old one, if the pool had one
	return f
}

// check fails the test if anybody still holds a frame.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.frames {
		if n := stream.Refs(f); n != 0 {
			t.Errorf("a frame is still held %d times", n)
		}
	}
}

// source gives frames 1, 2, 3 and so on, one every pace: n of them and then end, or
// without end when that is nil.
type source struct {
	ledger
	n        uint32
	pace     time.Duration
	end      error
	next     uint32
	returned bool // Next gave an error
}

func (s *source) Next(ctx context.Context) (f *stream.Frame, err error) {
	defer func() { s.returned = err != nil }()
	if s.end != nil && s.next == s.n {
		return nil, s.end
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(s.pace):
	}
	s.next++
	return s.get(s.next), nil
}

func (s *source) Close() error { return nil }

// frames is a source of n frames every 10 ms that ends with io.EOF.
func frames(n uint32) *source { return &source{n: n, pace: 10 * time.Millisecond, end: io.EOF} }

// sink takes a while for every frame, and fails with err at frame failAt.
type sink struct {
	slow     time.Duration
	failAt   int // 1 is the first; 0 = never
	err      error
	mu       sync.Mutex
	ids      []uint32
	closed   int
	closeErr error
}

func (s *sink) Write(ctx context.Context, f *stream.Frame) error {
	id := f.ID
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(s.slow):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(f.JPEG) != 1 || f.JPEG[0] != byte(id) || f.ID != id {
		panic("the frame changed while the sink had it")
	}
	if s.failAt > 0 && len(s.ids)+1 >= s.failAt {
		return s.err
	}
	s.ids = append(s.ids, id)
	return nil
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return s.closeErr
}

// polled is a sink that is also a Poller.
type polled struct {
	sink
	every  time.Duration
	polls  int
	stopAt int // this poll returns stop
	stop   error
}

func (p *polled) PollEvery() time.Duration { return p.every }

func (p *polled) Poll(context.Context) error {
	if p.polls++; p.polls == p.stopAt {
		return p.stop
	}
	return nil
}
