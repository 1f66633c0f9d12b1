package tcp

import "time"

// SenderStats are figures since the start. What a viewer has got stays in the sums when
// it has left.
type SenderStats struct {
	Frames    uint64        `json:"frames"`    // begun on at least one connection
	Unsent    uint64        `json:"unsent"`    // begun on none before a newer one came: there was no viewer, or none was ready
	TooLarge  uint64        `json:"too_large"` // frames skipped: over the limit
	Delivered uint64        `json:"delivered"` // frames handed to the kernel whole, each once per viewer
	Skipped   uint64        `json:"skipped"`   // frames left out for a viewer that was too slow, or in which it left, each once per viewer
	Bytes     uint64        `json:"bytes"`     // sent to viewers
	Connects  uint64        `json:"connects"`  // viewers that have come, or that we have reached
	Refused   uint64        `json:"refused"`   // viewers turned away: the house was full
	Dropped   uint64        `json:"dropped"`   // viewers given up: they said nothing, or took nothing, for seconds
	Strangers uint64        `json:"strangers"` // connections with something that is no viewer, or that said nothing
	Failures  uint64        `json:"failures"`  // times an address in To could not be reached, or was no viewer
	Listening []string      `json:"listening"`
	Viewers   []ViewerStats `json:"viewers"` // there now
}

// ViewerStats are figures of one viewer since it came. Every frame written meanwhile is in
// Frames or in Skipped, but for one that waits or is on its way.
type ViewerStats struct {
	Addr       string    `json:"addr"`
	Since      time.Time `json:"since"`
	Frames     uint64    `json:"frames"`
	Skipped    uint64    `json:"skipped"`
	Bytes      uint64    `json:"bytes"`
	RTT        uint32    `json:"rtt_us"`     // µs of round trip, as TCP measures it; 0 = not known
	Congestion string    `json:"congestion"` // congestion control in use; empty = not known
}

// Stats may be called at any time, from any goroutine.
func (s *Sender) Stats() SenderStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Failures = s.failures.Load()
	if len(s.viewers) == 0 && s.latest.frame != nil && !s.latest.begun {
		stats.Unsent++ // as it will be, unless somebody comes first
	}
	for _, a := range s.LocalAddrs() {
		stats.Listening = append(stats.Listening, a.String())
	}
	for _, v := range s.viewers {
		vs := ViewerStats{
			Addr: v.peer.addr.String(), Since: v.since, Frames: v.frames, Skipped: v.skipped,
			Bytes: v.peer.written.Load(), RTT: v.rtt.Load(), Congestion: v.congestion,
		}
		if missed := s.latest.id - v.last; missed > 1 { // while it could not take any
			vs.Skipped += uint64(missed - 1)
		}
		stats.Delivered += vs.Frames
		stats.Skipped += vs.Skipped
		stats.Bytes += vs.Bytes
		stats.Viewers = append(stats.Viewers, vs)
	}
	return stats
}
