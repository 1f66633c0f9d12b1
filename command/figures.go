package command

import (
	"fmt"
	"time"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/rate"
)

// figures are what --stats json prints, what the page's /stats carries and what
// status line and summary are made of. All counts run from the start; rates and
// latencies are of the last interval (of the page, of the last second), or of the
// whole run where Final.
type figures struct {
	Final   bool    `json:"final"`
	Role    string  `json:"role"` // "send", "view", "relay" or "demo"
	Unix    float64 `json:"unix"` // seconds since the Unix epoch
	Elapsed float64 `json:"elapsed_s"`

	Send *sendFigures `json:"send,omitempty"`
	View *viewFigures `json:"view,omitempty"`

	Relay *relayFigures `json:"relay,omitempty"`

	Record *recordFigures `json:"record,omitempty"` // with --record

	CPU  float64 `json:"cpu_s"`          // processor seconds of this process since its start
	Peak uint64  `json:"rss_peak_bytes"` // most memory resident so far
}

// sendFigures are a sender's.
type sendFigures struct {
	FPS    float64    `json:"fps"`
	Mbit   float64    `json:"mbit_s"` // payload to all viewers
	Frames sendFrames `json:"frames"`

	Capture capture.Stats `json:"capture"`
	Rate    *rate.Stats   `json:"rate,omitempty"` // with --bitrate
	outFigures
}

// rateText is what has become of quality, size and frame rate, and the bit rate aimed at; it may be empty.
func (s *sendFigures) rateText() string {
	if s.Rate == nil {
		return ""
	}
	return s.Rate.String()
}

// sendFrames: Captured = Sent + Unsent + Skipped + TooLarge + those on their way.
type sendFrames struct {
	Captured uint64 `json:"captured"`  // encoded pictures from the source
	Sent     uint64 `json:"sent"`      // in part at least, to at least one viewer
	Unsent   uint64 `json:"unsent"`    // nothing of them left: no viewer could be reached
	Skipped  uint64 `json:"skipped"`   // a newer one came before they could be sent
	TooLarge uint64 `json:"too_large"` // over the limit
}

// viewFigures are a viewer's.
type viewFigures struct {
	FPS       float64         `json:"fps"`    // frames shown
	Mbit      float64         `json:"mbit_s"` // payload received
	Frames    viewFrames      `json:"frames"`
	LatencyMS *latencyFigures `json:"latency_ms,omitempty"` // captured until shown

	Timecode *timecodeFigures `json:"timecode,omitempty"` // --timecode: captured until decoded, read from the picture
	Display  *display.Stats   `json:"display,omitempty"`
	inFigures
}

// viewFrames: Received = Shown + Undecodable + Skipped + those on their way. What was
// sent since this viewer's first frame is Received + LeftOut + Lost.
type viewFrames struct {
	Received    uint64 `json:"received"`    // whole
	Shown       uint64 `json:"shown"`       // by the display
	Undecodable uint64 `json:"undecodable"` // the display could not decode them
	Skipped     uint64 `json:"skipped"`     // whole, but a newer one came before the display was ready
	LeftOut     uint64 `json:"left_out"`    // tcp: by the sender, for this viewer or the way to it was too slow
	Lost        uint64 `json:"lost"`        // not received whole
}

// relayFigures are a relay's.
type relayFigures struct {
	FPS    float64     `json:"fps"`    // frames passed on
	Mbit   float64     `json:"mbit_s"` // payload to all viewers
	Frames relayFrames `json:"frames"`

	In  inFigures  `json:"in"`
	Out outFigures `json:"out"`
}

// relayFrames: Received = Sent + Unsent + Skipped + Looped + TooLarge + those on their way.
type relayFrames struct {
	Received uint64 `json:"received"` // whole
	Sent     uint64 `json:"sent"`     // these three as in sendFrames
	Unsent   uint64 `json:"unsent"`
	TooLarge uint64 `json:"too_large"`
	Skipped  uint64 `json:"skipped"`  // whole, but a newer one came first
	Looped   uint64 `json:"looped"`   // passed on before: relays stand in a ring
	LeftOut  uint64 `json:"left_out"` // these two as in viewFrames
	Lost     uint64 `json:"lost"`
}

// timecodeFigures are milliseconds from painting the timecode strip until the
// picture that holds it was decoded. Every frame shown is counted once.
type timecodeFigures struct {
	P50    float64 `json:"p50"`
	P90    float64 `json:"p90"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
	Frames uint64  `json:"frames"` // measured

	Implausible uint64 `json:"implausible,omitempty"` // captured in the future, or over a minute ago
	Unreadable  uint64 `json:"unreadable,omitempty"`  // no strip in the picture
	Undecodable uint64 `json:"undecodable,omitempty"`
}

func newTimecodeFigures(s display.LatencyStats) *timecodeFigures {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return &timecodeFigures{
		P50: ms(s.P50), P90: ms(s.P90), P99: ms(s.P99), Max: ms(s.Max), Frames: s.Frames,
		Implausible: s.Implausible, Unreadable: s.Unreadable, Undecodable: s.Undecodable,
	}
}

func (t *timecodeFigures) String() string {
	bad := troubles([]count{{"implausible", t.Implausible}, {"without a readable strip", t.Unreadable}, {"undecodable", t.Undecodable}})
	if t.Frames == 0 {
		return "timecode: none was read" + inBrackets(bad)
	}
	return fmt.Sprintf("timecode: captured until decoded p50 %.2f, p90 %.2f, p99 %.2f, max %.2f ms over %d frames%s",
		t.P50, t.P90, t.P99, t.Max, t.Frames, inBrackets(bad))
}

// rates turns two snapshots' counts into per-second figures.
type rates struct {
	at           time.Time
	frames, size uint64
}

// next returns frames and Mbit (10^6) per second since the last call.
func (r *rates) next(now time.Time, frames, bytes uint64) (fps, mbit float64) {
	if s := now.Sub(r.at).Seconds(); s > 0 {
		fps, mbit = float64(frames-r.frames)/s, float64(bytes-r.size)*8/1e6/s
	}
	*r = rates{now, frames, bytes}
	return fps, mbit
}
