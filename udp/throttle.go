package udp

import (
	"context"
	"log/slog"
	"time"
)

// throttle lets one log line a second through: what happens per datagram is a
// counter, and a person wants to hear of it once.
type throttle struct {
	log  *slog.Logger
	next time.Time
	held uint64 // lines kept back since the last one
}

func newThrottle(log *slog.Logger) throttle {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return throttle{log: log}
}

func (t *throttle) warn(msg string, attrs ...slog.Attr) {
	now := time.Now()
	if now.Before(t.next) {
		t.held++
		return
	}
	if t.held > 0 {
		attrs = append(attrs, slog.Uint64("and_times_before", t.held))
	}
	t.next, t.held = now.Add(time.Second), 0
	t.log.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}
