package tcp

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// throttle lets one log line a second through, from any goroutine: what happens per
// connection is a counter, and a person wants to hear of it once.
type throttle struct {
	log  *slog.Logger
	mu   sync.Mutex // not held while logging: who reads the log may be slow
	next time.Time
	held uint64 // lines kept back since the last one
}

func newThrottle(log *slog.Logger) *throttle {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &throttle{log: log}
}

func (t *throttle) warn(msg string, attrs ...slog.Attr) { t.say(slog.LevelWarn, msg, attrs...) }

func (t *throttle) info(msg string, attrs ...slog.Attr) { t.say(slog.LevelInfo, msg, attrs...) }

func (t *throttle) say(level slog.Level, msg string, attrs ...slog.Attr) {
	held, ok := t.due(time.Now())
	if !ok {
		return
	}
	if held > 0 {
		attrs = append(attrs, slog.Uint64("and_times_before", held))
	}
	t.log.LogAttrs(context.Background(), level, msg, attrs...)
}

func (t *throttle) due(now time.Time) (held uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.next) {
		t.held++
		return 0, false
	}
	held = t.held
	t.next, t.held = now.Add(time.Second), 0
	return held, true
}

// logs are the things that a Sender or a Receiver has to tell.
type logs struct {
	*slog.Logger
	strangers, come, gone, full, trouble *throttle
}

func newLogs(log *slog.Logger) logs {
	t := [5]*throttle{}
	for i := range t {
		t[i] = newThrottle(log)
	}
	return logs{t[0].log, t[0], t[1], t[2], t[3], t[4]}
}
