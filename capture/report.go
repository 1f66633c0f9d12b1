package capture

import (
	"image"
	"sync"
	"sync/atomic"
	"time"
)

// Reporter is implemented by every Source that Open returns. Its methods may be
// called at any time until Close, from any goroutine.
type Reporter interface {
	Info() Info
	Stats() Stats
}

// Info describes a source, for status lines and announcements.
type Info struct {
	Name string      // such as "test card", "clip.mp4" or "standard input (y4m)"
	Size image.Point // pixels; zero where every picture says it anew (a JPEG stream)
	FPS  float64     // nominal pictures a second; 0 = not known
	Live bool        // taken as it comes, not played on a schedule
}

// Stats counts pictures since Open. Pictures + Placeholder = frames returned by Next +
// Thinned + Replaced + Late + Damaged + those still on their way (at most 3).
type Stats struct {
	Pictures uint64 `json:"pictures"`      // came from the device
	Thinned  uint64 `json:"thinned"`       // left out: over Config.FPS, or by Config.Rate
	Replaced uint64 `json:"replaced"`      // left out: a newer one came before it was taken
	Late     uint64 `json:"late"`          // left out: played, and their time had passed
	Damaged  uint64 `json:"damaged"`       // left out: unreadable, cut off or over a limit
	Garbage  uint64 `json:"garbage_bytes"` // bytes of input that belong to no picture

	// Of cameras and network sources, which may go away and come back.
	Reopened    uint64 `json:"reopened,omitempty"`    // times
	Placeholder uint64 `json:"placeholder,omitempty"` // frames that stood in for a picture meanwhile
}

// counters are what the stages of one source share; of a source that is opened again,
// what all its openings share.
type counters struct {
	pictures, thinned, replaced, late, damaged, garbage atomic.Uint64
	reopened, placeholder                               atomic.Uint64

	ids atomic.Uint32 // the next frame's

	// What is said of pictures and of bytes that are skipped: a source that is opened
	// over and over says it no more often than one that stays.
	saidPicture, saidInput seldom
}

// tally lets those find the counters who only know that a source has some.
func (c *counters) tally() *counters { return c }

func (c *counters) Stats() Stats {
	return Stats{
		Pictures: c.pictures.Load(), Thinned: c.thinned.Load(), Replaced: c.replaced.Load(),
		Late: c.late.Load(), Damaged: c.damaged.Load(), Garbage: c.garbage.Load(),
		Reopened: c.reopened.Load(), Placeholder: c.placeholder.Load(),
	}
}

// seldom lets a message pass at most once a second. The goroutine of an opening that
// was given up may still ask when that of the next one does.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) ok() bool { return s.okAfter(time.Second) }

// okAfter lets a message pass if none did for a time.
func (s *seldom) okAfter(pause time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !s.last.IsZero() && now.Sub(s.last) < pause {
		return false
	}
	s.last = now
	return true
}

// damage counts a picture that came and cannot be used.
func (c *counters) damage() {
	c.pictures.Add(1)
	c.damaged.Add(1)
}
