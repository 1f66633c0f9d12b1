package rate

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Stats are the figures of now.
type Stats struct {
	Quality int   `json:"quality"` // 0 where finished JPEGs pass untouched
	Scale   int   `json:"scale"`   // % of each side
	Every   int   `json:"every"`   // of so many frames one is sent
	Rate    int64 `json:"rate"`    // bit/s on the wire that frames are kept within; 0 = no limit
	Sent    int64 `json:"sent"`    // bit/s on the wire to one viewer, in the last second
	Budget  int   `json:"budget"`  // bytes of JPEG that the next frame may have; 0 = no limit
	Cuts    int   `json:"cuts"`    // times that a link was found to be congested
	Changes int   `json:"changes"`
	Again   int   `json:"again"`    // pictures encoded twice, since the first was far over its budget
	LeftOut int   `json:"left_out"` // frames, to keep the rate
}

// String is empty where pictures are neither encoded here nor held back.
func (s Stats) String() string {
	var parts []string
	if s.Quality > 0 {
		parts = append(parts, fmt.Sprintf("q%d", s.Quality))
	}
	if s.Scale != 100 {
		parts = append(parts, fmt.Sprintf("x%.4g", float64(s.Scale)/100))
	}
	if s.Every > 1 {
		parts = append(parts, fmt.Sprintf("1/%d", s.Every))
	}
	if s.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%.3g Mbit/s", float64(s.Rate)/1e6))
	}
	return strings.Join(parts, " ")
}

// Stats may be called at any time.
func (c *Controller) Stats(now time.Time) Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, set := c.stats, c.ladder.set
	s.Quality, s.Scale, s.Every, s.Changes = set.Quality, set.Scale, set.Every, c.ladder.changes
	if c.passing {
		s.Quality = 0
	}
	s.Sent = int64(c.wire.recent(now))
	if target := c.limit(now); !math.IsInf(target, 1) {
		s.Rate, s.Budget = int64(target), int(c.budget(now, c.every.interval))
	}
	return s
}
