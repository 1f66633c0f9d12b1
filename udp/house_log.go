package udp

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// news is what the house has to say to a person.
type news struct {
	kind    newsKind
	addr    netip.AddrPort // the viewer's
	viewers int            // served now, or allowed
	because string         // it has gone
	takes   int            // largest frame in bytes that the viewer takes
	size    int            // of the frames
}

type newsKind int

const (
	hasCome newsKind = iota
	hasGone
	turnedAway
	tooSmall
)

// visitLines bounds the lines a second that tell of viewers who come and go: each is worth
// one, but somebody may come and go all the time.
const visitLines = 20

// houseLog writes news: of each visit a line, and of who is turned away at most one a second.
type houseLog struct {
	log         *slog.Logger
	visits      budget
	full, small throttle
}

func newHouseLog(log *slog.Logger) houseLog {
	t := newThrottle(log)
	return houseLog{log: t.log, visits: budget{rate: visitLines}, full: t, small: t}
}

func (l *houseLog) visit(msg string, attrs ...slog.Attr) {
	if l.visits.take(time.Now()) {
		l.log.LogAttrs(context.Background(), slog.LevelInfo, msg, attrs...)
	}
}

// tell leaves news for start's goroutine; more than that can take are dropped, as the
// throttle would. mu is held.
func (h *house) tell(n news) {
	select {
	case h.news <- n:
	default:
	}
}

// start begins to write the log, so that nobody else waits for it, and to notice who has
// fallen silent also while there are no frames. Both end with close.
func (h *house) start(running *sync.WaitGroup) {
	running.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case n := <-h.news:
				h.log.write(n)
			case now := <-tick.C:
				h.mu.Lock()
				h.expire(now)
				h.mu.Unlock()
			case <-h.stop:
				return
			}
		}
	})
}

func (l *houseLog) write(n news) {
	viewer := slog.String("viewer", n.addr.String())
	switch n.kind {
	case hasCome:
		l.visit("a viewer has come", viewer, slog.Int("viewers", n.viewers))
	case hasGone:
		l.visit("a viewer has gone", viewer, slog.String("because", n.because), slog.Int("viewers", n.viewers))
	case turnedAway:
		l.full.warn("a viewer was turned away: there are as many as allowed (--max-viewers)", viewer, slog.Int("viewers", n.viewers))
	case tooSmall:
		l.small.warn("a viewer was turned away: the frames are larger than it takes", viewer, slog.Int("bytes", n.size), slog.Int("takes_bytes", n.takes))
	}
}
