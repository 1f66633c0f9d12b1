package udp

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// scribeLines is how many lines may wait to be written.
	scribeLines = 64
	// scribePatience is how long Close waits for them.
	scribePatience = 100 * time.Millisecond
)

// scribe has what is logged written by a goroutine of its own, so that nobody waits for who
// reads the log: a terminal that is held, or a pipe that is full. More lines than may wait
// are left out, which is said when there is room again. The goroutine ends when there is
// nothing to write; one that is stuck in the log outlives Close.
type scribe struct {
	log *slog.Logger // to write to; never nil

	mu      sync.Mutex
	waiting []line
	left    int           // out, and not said yet
	idle    chan struct{} // closed when the goroutine ends; nil while there is none
}

// line is what is to be written, and by whom.
type line struct {
	ctx context.Context
	to  slog.Handler
	r   slog.Record
}

// newScribe has a log written to; nil means discard.
func newScribe(to *slog.Logger) *scribe {
	s := &scribe{log: slog.New(slog.DiscardHandler)}
	if to != nil {
		s.log = slog.New(leaf{to.Handler(), s})
	}
	return s
}

// finish waits until all is written, for scribePatience at most.
func (s *scribe) finish() {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-time.After(scribePatience):
	}
}

// note leaves a line to be written.
func (s *scribe) note(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= scribeLines {
		s.left++
		return
	}
	s.waiting = append(s.waiting, l)
	if s.idle == nil {
		s.idle = make(chan struct{})
		go s.write()
	}
}

// write writes until nothing waits.
func (s *scribe) write() {
	for {
		s.mu.Lock()
		now, left := s.waiting, s.left
		s.waiting, s.left = nil, 0
		if len(now) == 0 {
			close(s.idle)
			s.idle = nil
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, l := range now {
			l.to.Handle(l.ctx, l.r)
		}
		if last := now[len(now)-1]; left > 0 {
			r := slog.NewRecord(time.Now(), slog.LevelWarn, "the log is written too slowly: lines were left out", 0)
			r.AddAttrs(slog.Int("lines", left))
			last.to.Handle(last.ctx, r)
		}
	}
}

// leaf is a handler by which a scribe is told what to write.
type leaf struct {
	to slog.Handler
	s  *scribe
}

func (l leaf) Enabled(ctx context.Context, level slog.Level) bool { return l.to.Enabled(ctx, level) }

// Handle implements slog.Handler. It returns at once, and no error of the log's.
func (l leaf) Handle(ctx context.Context, r slog.Record) error {
	l.s.note(line{ctx, l.to, r.Clone()})
	return nil
}

func (l leaf) WithAttrs(attrs []slog.Attr) slog.Handler { return leaf{l.to.WithAttrs(attrs), l.s} }
func (l leaf) WithGroup(name string) slog.Handler       { return leaf{l.to.WithGroup(name), l.s} }
