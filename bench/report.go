package bench

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Report is everything measured by one command, in the order it was measured.
type Report struct {
	Meta Meta
	Runs []Result
}

// Result is a Run and what Analyse made of it. A report read from a file may lack the
// traces of its runs, never their Stats.
type Result struct {
	Run
	Stats Stats `json:"stats"`
}

// Add analyses a run and appends it.
func (r *Report) Add(run Run) { r.Runs = append(r.Runs, Result{run, Analyse(run)}) }

// Meta is what somebody needs to judge a report, or to repeat it.
type Meta struct {
	Time    time.Time `json:"time"`           // when it began
	Machine Machine   `json:"machine"`        // where it ran; of two, the viewer's
	Peer    *Machine  `json:"peer,omitempty"` // the sender's, when that is another
	Version string    `json:"version"`        // framegram's
	Go      string    `json:"go"`
	Seed    int64     `json:"seed"`    // of the link
	Command string    `json:"command"` // as typed

	Missing []Missing `json:"missing,omitempty"` // what the user did not wait for
}

// Machine is a computer.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	OS     string `json:"os"` // "linux/amd64", or with the distribution's name
	Kernel string `json:"kernel"`
}

// Scenario is what is sent.
type Scenario struct {
	Width    int      `json:"width"`
	Height   int      `json:"height"`
	FPS      float64  `json:"fps"` // what the source was asked for: the schedule
	Quality  int      `json:"quality"`
	Source   string   `json:"source"`
	Length   Duration `json:"length_ms"`   // to be measured, without the warm-up
	Warmup   Duration `json:"warmup_ms"`   // left out before
	Deadline Duration `json:"deadline_ms"` // 0 = a frame interval
}

// deadline is what counts as in time.
func (s Scenario) deadline() time.Duration {
	if s.Deadline.Duration > 0 || !(s.FPS > 0) {
		return s.Deadline.Duration
	}
	return time.Duration(float64(time.Second) / s.FPS)
}

func (s Scenario) String() string {
	text := strconv.FormatFloat(s.FPS, 'f', -1, 64) + " fps"
	if s.Width > 0 { // else the source's own
		text = fmt.Sprintf("%dx%d, ", s.Width, s.Height) + text
	}
	if s.Quality > 0 { // else JPEGs as they came
		text += fmt.Sprintf(", quality %d", s.Quality)
	}
	return fmt.Sprintf("%s, %s, %s a run after %s of warm-up", text, s.Source, s.Length, s.Warmup)
}

// Sweep is the parameter that differs from point to point, and its value at this one,
// as typed. The zero value is no sweep.
type Sweep struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Point is what repeats of a measurement have in common. It is comparable.
type Point struct {
	Transport  string   `json:"transport"`            // "udp", "tcp"
	Congestion string   `json:"congestion,omitempty"` // of tcp: what the kernel said it used
	Repair     string   `json:"repair,omitempty"`     // of udp: what was done about losses: "none", "fec", "nack", "auto"
	Connect    string   `json:"connect,omitempty"`    // of udp: "subscribe", "group", or empty for push
	Slices     string   `json:"slices,omitempty"`     // strips of a picture as typed, "auto" or a number, where several were to be compared
	Link       string   `json:"link"`                 // all its parameters, the swept one included: "rate=100mbit,delay=5ms,loss=1%"; or what else it is: "loopback"
	LinkName   string   `json:"link_name,omitempty"`  // as typed, where it was by a preset's name: "wifi", "wifi,loss=2%"; a sweep's changes are not in it
	Sweep      Sweep    `json:"sweep,omitzero"`
	Scenario   Scenario `json:"scenario"`
}

// Name is the transport with what it was run with: always the congestion control of
// tcp, and the repair of udp.
func (p Point) Name() string {
	name := p.way()
	if p.Connect != "" {
		name += " " + p.Connect
	}
	if p.Slices != "" {
		name += " slices=" + p.Slices
	}
	return name
}

func (p Point) way() string {
	switch {
	case p.Congestion != "":
		return p.Transport + " " + p.Congestion
	case p.Transport == "tcp":
		return "tcp (unknown)"
	case p.Repair != "":
		return p.Transport + " " + p.Repair
	}
	return p.Transport
}

// Run is one measurement.
type Run struct {
	Point
	Repeat int    `json:"repeat"`         // from 1
	Seed   uint64 `json:"seed,omitempty"` // of the emulated link in this run: that of Link is the first repeat's

	// Began is when frames were first due, µs since the Unix epoch by the sender's
	// clock; 0 = at the first one captured.
	Began int64 `json:"began"`
	// Measured is how much of Scenario.Length was measured, when it was cut short by the
	// user; 0 = all. A sender that died does not shorten it: its frames were due.
	Measured Duration `json:"measured_ms,omitzero"`

	Sent   []SentFrame  `json:"sent,omitempty"`
	Shown  []ShownFrame `json:"shown,omitempty"`
	Sender End          `json:"sender"`
	Viewer End          `json:"viewer"`
	Clock  *Clock       `json:"clock,omitempty"` // nil = both ends read one clock

	Squeeze *Squeeze `json:"squeeze,omitempty"` // nil = none
	Repairs *Repairs `json:"repairs,omitempty"` // nil = not udp

	// Err says why this is no measurement of the transport: a process or the link died.
	// Such a run is named in every report and left out of all medians. A run that went
	// as planned and showed nothing is a measurement, and needs no Err.
	Err string `json:"error,omitempty"`
}

// End is what one process counted, warm-up included.
type End struct {
	Whole   uint64            `json:"whole"`          // frames sent or received whole
	Lost    map[string]uint64 `json:"lost,omitempty"` // frames that ended here, by reason: "incomplete", "skipped", "left out by the sender"…
	Wire    uint64            `json:"wire_bytes"`     // that it put on the wire, all headers from IP on; 0 = not known
	Payload uint64            `json:"payload_bytes"`  // of the frames' JPEGs in them
	CPU     Duration          `json:"cpu_ms"`         // processor time
	Wall    Duration          `json:"wall_ms"`        // over which CPU was used; 0 = not known
	Peak    uint64            `json:"rss_peak_bytes"` // most memory resident; 0 = not known
}

// Clock tells how far the sender's clock is ahead of the viewer's: Ahead ± Bound.
type Clock struct {
	Ahead Duration `json:"ahead_ms"`
	Bound Duration `json:"bound_ms"`
}

// Duration is a time that is written to JSON in milliseconds, exact to 1 ns.
type Duration struct{ time.Duration }

// maxMS bounds what is believed of a file: eleven days.
const maxMS = 1e9

// MarshalJSON implements [json.Marshaler].
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d.Nanoseconds())/1e6, 'f', -1, 64), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Duration) UnmarshalJSON(b []byte) error {
	ms, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(math.Abs(ms) <= maxMS) {
		return fmt.Errorf("bench: %.40q is no time in milliseconds", b)
	}
	d.Duration = time.Duration(math.Round(ms * 1e6))
	return nil
}

func inMS(us int64) float64 { return float64(us) / 1e3 }
