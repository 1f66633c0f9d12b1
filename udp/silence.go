package udp

import (
	"fmt"
	"time"
)

const (
	// silent is how long nothing of a group must have come before its absence is said.
	silent = 3 * time.Second
	// A snooping switch forgets a group 260 s after the last query (RFC 3376 section
	// 8.4), and if nobody queries, after the join. Streams cut about then are telling.
	forgetsFrom, forgetsTo = 200 * time.Second, 320 * time.Second
)

// silence watches for a group's stream to stop, or not to begin.
type silence struct {
	since time.Time // of the join, or of the last datagram
	began time.Time // of the stream; zero before its first datagram
	said  bool
}

// heard notes a datagram.
func (s *silence) heard(now time.Time) {
	if s.began.IsZero() || now.Sub(s.since) >= silent {
		s.began = now
	}
	s.since, s.said = now, false
}

// broken reports, once, that there is silence, and says for how long and after what.
func (s *silence) broken(now time.Time) (what string, hint string, yes bool) {
	if s.said || now.Sub(s.since) < silent {
		return "", "", false
	}
	s.said = true
	if s.began.IsZero() {
		return "nothing received for 3 s", "", true
	}
	streamed := s.since.Sub(s.began)
	if streamed > forgetsFrom && streamed < forgetsTo {
		hint = fmt.Sprintf("cut after %d s: a switch that snoops forgets a group after about 260 s when nothing queries it: enable a querier in a switch or router; ", int(streamed.Seconds()))
	}
	return fmt.Sprintf("received until %.1f s ago", now.Sub(s.since).Seconds()), hint, true
}
