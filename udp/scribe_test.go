package udp

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// stuck is a log that takes no line until it is let go.
type stuck struct {
	journal
	gate chan struct{}
	once sync.Once
}

func newStuck(t *testing.T) *stuck {
	s := &stuck{gate: make(chan struct{})}
	t.Cleanup(s.release)
	return s
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.gate
	return s.journal.Write(p)
}

func (s *stuck) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

func (s *stuck) release() { s.once.Do(func() { close(s.gate) }) }

// What is logged is written in its order, with what belongs to it, by the time of finish.
func TestScribeWritesAll(t *testing.T) {
	var log journal
	s := newScribe(log.logger())
	with := s.log.With("a", 1).WithGroup("g")
	for i := range scribeLines / 2 {
		s.log.Info("plain", "i", i)
		with.Warn("with", "i", i)
		s.log.Debug("not this")
	}
	s.finish()
	var want strings.Builder
	for i := range scribeLines / 2 {
		fmt.Fprintf(&want, "level=INFO msg=plain i=%d\nlevel=WARN msg=with a=1 g.i=%d\n", i, i)
	}
	var got strings.Builder
	for l := range strings.Lines(log.String()) {
		_, rest, _ := strings.Cut(l, " ") // the time
		got.WriteString(rest)
	}
	if got.String() != want.String() {
		t.Errorf("wrote\n%s\nwant\n%s", got.String(), want.String())
	}
	s.finish() // again, when there is nothing
	newScribe(nil).log.Warn("to nobody")
	newScribe(nil).finish()
}

// A log that takes nothing holds nobody up and costs a bounded number of lines; what was left
// out is said when it goes on.
func TestScribeIsNotHeldUp(t *testing.T) {
	log := newStuck(t)
	s := newScribe(log.logger())
	const lines = 10 * scribeLines
	for range lines {
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "a line") // would never return
	}
	began := time.Now()
	s.finish()
	if waited := time.Since(began); waited < scribePatience {
		t.Errorf("the lines were waited for for %v, want %v", waited, scribePatience)
	}
	if log.String() != "" {
		t.Errorf("it has written %q", log.String())
	}
	log.release()
	written, left := 0, 0
	eventually(t, "what was left out", func() bool {
		written, left = strings.Count(log.String(), `msg="a line"`), 0
		for _, m := range regexp.MustCompile(`lines were left out" lines=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			left += n
		}
		return written+left == lines
	})
	if written < scribeLines || written > 2*scribeLines {
		t.Errorf("of %d lines %d were written, want those that may wait, and those that were being written", lines, written)
	}
	s.log.Info("goes on")
	eventually(t, "the next line", func() bool { return log.has("goes on") })
}
