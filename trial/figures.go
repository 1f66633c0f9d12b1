package trial

import (
	"math"
	"time"

	"github.com/framegram/framegram/bench"
)

// figures are the parts of --stats json that a Run is made of.
type figures struct {
	Final   bool    `json:"final"`
	Unix    float64 `json:"unix"` // of these figures, seconds since the epoch
	Elapsed float64 `json:"elapsed_s"`
	CPU     float64 `json:"cpu_s"`
	Peak    uint64  `json:"rss_peak_bytes"`

	Send struct {
		Frames struct {
			Captured uint64 `json:"captured"`
			Sent     uint64 `json:"sent"`
			Unsent   uint64 `json:"unsent"`
			Skipped  uint64 `json:"skipped"`
			TooLarge uint64 `json:"too_large"`
		} `json:"frames"`
		Capture struct {
			Late     uint64 `json:"late"`
			Replaced uint64 `json:"replaced"`
		} `json:"capture"`
		UDP struct {
			Datagrams uint64 `json:"datagrams"` // to all destinations, those gone included
			Bytes     uint64 `json:"bytes"`
			Repairs   struct {
				Resent  uint64 `json:"resent"`
				Bytes   uint64 `json:"resent_bytes"`
				Gone    uint64 `json:"gone"`
				Refused uint64 `json:"refused"`
			} `json:"repairs"`
		} `json:"udp"`
		TCP struct {
			Skipped uint64 `json:"skipped"`
			Viewers []struct {
				Congestion string `json:"congestion"`
			} `json:"viewers"`
		} `json:"tcp"`
	} `json:"send"`
	View struct {
		Frames struct {
			Received uint64 `json:"received"`
			Skipped  uint64 `json:"skipped"`
			LeftOut  uint64 `json:"left_out"`
			Lost     uint64 `json:"lost"`
		} `json:"frames"`
		UDP struct {
			KernelDrops uint64 `json:"kernel_drops"`
			Fragments   struct {
				Complete   uint64            `json:"complete"`
				Rebuilt    uint64            `json:"rebuilt"`
				Repaired   uint64            `json:"repaired"`
				Missing    uint64            `json:"missing"`
				Incomplete map[string]uint64 `json:"incomplete"`
			} `json:"fragments"`
		} `json:"udp"`
		Clock *struct {
			Ahead float64 `json:"ahead_ms"`
			Bound float64 `json:"bound_ms"`
		} `json:"clock"`
	} `json:"view"`
}

// sender is what it counted.
func (f *figures) sender(sent []bench.SentFrame, wire uint64) bench.End {
	e := bench.End{Whole: f.Send.Frames.Sent, Lost: map[string]uint64{}, Wire: wire}
	count(e.Lost, "not in time", f.Send.Capture.Late+f.Send.Capture.Replaced)
	count(e.Lost, "skipped", f.Send.Frames.Skipped+f.Send.TCP.Skipped)
	count(e.Lost, "unsent", f.Send.Frames.Unsent)
	count(e.Lost, "too large", f.Send.Frames.TooLarge)
	if wire == 0 {
		const headers = 20 + 8 // of IPv4 and UDP: loopback's address is IPv4's
		e.Wire = f.Send.UDP.Bytes + headers*f.Send.UDP.Datagrams
		e.Wire += f.Send.UDP.Repairs.Bytes + headers*f.Send.UDP.Repairs.Resent
	}
	for _, s := range sent {
		e.Payload += uint64(s.Bytes)
	}
	f.cost(&e)
	return e
}

// viewer is what it counted.
func (f *figures) viewer(shown []bench.ShownFrame, wire uint64) bench.End {
	e := bench.End{Whole: f.View.Frames.Received, Lost: map[string]uint64{}, Wire: wire}
	partly := uint64(0)
	for _, n := range f.View.UDP.Fragments.Incomplete {
		partly += n
	}
	partly = min(partly, f.View.Frames.Lost)
	count(e.Lost, "incomplete", partly)
	count(e.Lost, "never seen", f.View.Frames.Lost-partly)
	count(e.Lost, "left out by the sender", f.View.Frames.LeftOut)
	count(e.Lost, "skipped", f.View.Frames.Skipped)
	for _, s := range shown {
		e.Payload += uint64(s.Bytes)
	}
	f.cost(&e)
	return e
}

// began is when the process began to capture, µs since the Unix epoch; 0 = not known.
func (f *figures) began() int64 {
	return int64(math.Round(max(0, f.Unix-f.Elapsed) * 1e6))
}

// repairs is what the two ends of udp counted. A frame that is rebuilt and repaired is
// among the repaired only.
func repairs(tx, rx *figures) *bench.Repairs {
	in, out := &rx.View.UDP.Fragments, &tx.Send.UDP.Repairs
	helped := min(in.Rebuilt+in.Repaired, in.Complete)
	return &bench.Repairs{
		AtOnce: in.Complete - helped, Rebuilt: in.Rebuilt, Repaired: in.Repaired, GivenUp: rx.View.Frames.Lost, Missing: in.Missing,
		Resent: out.Resent, ResentBytes: out.Bytes, Refused: out.Refused, Gone: out.Gone,
	}
}

func (f *figures) cost(e *bench.End) {
	e.CPU, e.Wall, e.Peak = seconds(f.CPU), seconds(f.Elapsed), f.Peak
}

func seconds(s float64) bench.Duration {
	return bench.Duration{Duration: time.Duration(s * float64(time.Second))}
}

func count(counts map[string]uint64, name string, n uint64) {
	if n > 0 {
		counts[name] = n
	}
}
