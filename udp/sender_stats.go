package udp

import (
	"slices"
	"time"
)

// SenderStats are figures since the start.
type SenderStats struct {
	Frames    uint64             `json:"frames"`          // sent, in part at least, to at least one destination
	Unsent    uint64             `json:"unsent"`          // of which no destination could be sent a single datagram, or there was none
	TooLarge  uint64             `json:"too_large"`       // frames skipped: over the limit
	Datagrams uint64             `json:"datagrams"`       // to all destinations, those gone included, as are
	Bytes     uint64             `json:"bytes"`           // these, of UDP payload,
	Failed    uint64             `json:"failed"`          // these, datagrams that could not be sent,
	LeftOut   uint64             `json:"left_out"`        // and these, frames left out for one destination
	MTU       int                `json:"mtu"`             // bytes of IP packet that frames are cut for
	Shard     int                `json:"shard"`           // bytes of frame per datagram
	Lanes     []LaneStats        `json:"lanes"`           // the interfaces that frames leave by, and at what pace
	To        []DestinationStats `json:"to"`              // there now
	House     *HouseStats        `json:"house,omitempty"` // of who may subscribe
	Viewers   []ViewerStats      `json:"viewers"`         // what they report
	Reports   uint64             `json:"reports"`         // taken
	Ignored   uint64             `json:"reports_ignored"` // on no session of ours, from somebody else than its viewer, or overtaken by a later one

	Repairs        RepairStats `json:"repairs"`         // of all destinations, those gone included
	RepairsIgnored uint64      `json:"repairs_ignored"` // requests on no session of ours, from somebody else than its viewer, or while SenderConfig.Repair says nothing of them
}

// publish makes the figures visible to Stats.
func (s *Sender) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, lanes := s.published.To[:0], s.published.Lanes[:0]
	for _, d := range s.dests {
		to = append(to, d.figures())
	}
	for _, l := range s.lanes {
		lanes = append(lanes, l.stats)
	}
	s.published = s.stats
	s.published.To, s.published.Lanes = to, lanes
	s.told = append(s.told[:0], s.dests...)
}

// Stats are the figures up to the last frame, and of repairs up to now. It may be called at any time, from any
// goroutine, and does not wait for a frame being sent.
func (s *Sender) Stats() SenderStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.published
	stats.To, stats.Lanes = slices.Clone(stats.To), slices.Clone(stats.Lanes)
	for i, d := range s.told {
		stats.To[i].Repairs = d.repaired()
		stats.Repairs.add(stats.To[i].Repairs)
	}
	stats.RepairsIgnored = s.resends.ignored.Load()
	stats.Viewers = s.viewers.list(time.Now())
	stats.Reports, stats.Ignored = s.viewers.counts()
	if s.house != nil {
		figures := s.house.figures()
		stats.House = &figures
	}
	return stats
}
