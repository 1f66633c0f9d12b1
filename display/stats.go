package display

import "time"

// Reporter is a display that counts. Stats may be called at any time, from any
// goroutine.
type Reporter interface{ Stats() Stats }

// Stats are frames since Open. Every frame written is either Shown or Undecodable.
type Stats struct {
	Shown       uint64 `json:"shown"`            // drawn (or at hand, while the window is frozen), written out, or offered to the page's viewers
	Undecodable uint64 `json:"undecodable"`      // left out: not a picture this build can decode
	Scaled      uint64 `json:"scaled,omitempty"` // of Shown: stdout brought them to the first picture's size

	Viewers       int    `json:"viewers,omitempty"`        // web: who is watching now
	ViewerSkipped uint64 `json:"viewer_skipped,omitempty"` // web: frames a viewer was too slow for, over all viewers
}

// seldom lets something be said at most once a second.
type seldom struct{ last time.Time }

func (s *seldom) now() bool {
	if t := time.Now(); t.Sub(s.last) >= time.Second {
		s.last = t
		return true
	}
	return false
}
