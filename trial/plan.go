package trial

import (
	"context"
	"fmt"
	"slices"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/netlab"
)

// Plan is what to measure.
type Plan struct {
	Program  string // the framegram to run
	Ways     []Way  // in the order in which they take turns
	Scenario bench.Scenario
	Repeat   int // times, at least 1

	Receiver *Receiver      // the machine with the viewer; nil = this one
	Link     *netlab.Params // nil = the loopback interface
	LinkName string         // what Link is called, when that is shorter: "wifi"
	Sweep    *netlab.Sweep  // nil = one point; needs a Link

	Parity string // of the ways with parity, as --parity wants it; empty = send's own

	// FromStart has frames due from the sender's first capture on. Otherwise they are due from the
	// first frame on that it has sent, which over tcp waits for the connection.
	FromStart bool

	SenderArgs, ViewerArgs []string // more arguments for the processes

	// Began is told of each trial when it begins: it is the i-th of n, from 1.
	Began func(i, n int, what string)
	// Missed is told of each trial of which there is no Run, since ctx was done.
	Missed func(bench.Missing)
}

// Way is a transport. Congestion is the congestion control of tcp, empty for the
// system's; Repair is what udp does about losses, one of Repairs; Connect is how the
// viewer of udp comes by the stream, one of Connects but empty for push; Slices is the
// sender's --slices, empty for its own.
type Way struct {
	Transport  string `json:"transport"`
	Congestion string `json:"congestion,omitempty"`
	Repair     string `json:"repair,omitempty"`
	Connect    string `json:"connect,omitempty"`
	Slices     string `json:"slices,omitempty"`
}

// The values of Way.Connect besides the empty one, which is push: the sender sends to the
// address on which the viewer listens.
const (
	Subscribe = "subscribe" // the viewer asks the sender, which serves who asks
	Group     = "group"     // the sender sends to a multicast group, which the viewer joins
)

// Connects are the ways in which a viewer comes by a stream over udp, as users name them.
var Connects = []string{"push", Subscribe, Group}

// Repairs are the ways to repair.
var Repairs = []string{"none", "fec", "nack", "auto"}

// HasParity reports whether a share of parity means anything to it.
func (w Way) HasParity() bool { return w.Repair == "fec" || w.Repair == "auto" }
func (w Way) asks() bool      { return w.Repair == "nack" || w.Repair == "auto" }

// trial is one measurement.
type trial struct {
	way    Way
	link   *netlab.Params // with the seed of this repeat
	point  *netlab.Params // with that of the first, by which the repeats are known
	sweep  bench.Sweep
	repeat int
}

// seeded gives every repeat the next seed, unless seeds are what is swept: what is
// measured should not hang on one pattern of losses. All ways meet the same ones.
func seeded(link *netlab.Params, sweep bench.Sweep, repeat int) *netlab.Params {
	if link == nil || sweep.Key == "seed" {
		return link
	}
	next := *link
	next.Seed = max(next.Seed, 1) + uint64(repeat-1)
	return &next
}

// String names the trial, for who waits for it.
func (t trial) String() string { return fmt.Sprintf("%s, repeat %d", t.what(), t.repeat) }

// String names the way: "udp auto subscribe".
func (w Way) String() string {
	text := w.Transport
	for _, more := range []string{w.Congestion, w.Repair, w.Connect} { // never all of them
		if more != "" {
			text += " " + more
		}
	}
	if w.Slices != "" {
		text += " slices=" + w.Slices
	}
	return text
}

// what the repeats have in common.
func (t trial) what() string {
	text := t.way.String()
	if t.sweep.Key != "" {
		text += " " + t.sweep.Key + "=" + t.sweep.Value
	}
	return text
}

// trials are all of them, in order.
func (p *Plan) trials() (all []trial, err error) {
	links, points := []*netlab.Params{p.Link}, []bench.Sweep{{}}
	if p.Sweep != nil {
		base := netlab.Params{}
		if p.Link != nil {
			base = *p.Link
		}
		over, err := p.Sweep.Over(base)
		if err != nil {
			return nil, err
		}
		links, points = nil, nil
		for i := range over {
			links = append(links, &over[i])
			points = append(points, bench.Sweep{Key: p.Sweep.Key, Value: p.Sweep.Values[i]})
		}
	}
	ways := slices.Clone(p.Ways)
	for repeat := 1; repeat <= p.Repeat; repeat++ {
		for i, link := range links {
			for _, way := range ways {
				all = append(all, trial{way, seeded(link, points[i], repeat), link, points[i], repeat})
			}
		}
		slices.Reverse(ways)
	}
	return all, nil
}

// Run runs all trials and gives each Run to add. When ctx is done it gives what was
// measured of the trial that was under way, tells Missed of the others, and returns
// context.Cause(ctx). Any other error is of a kind that no trial could do with.
func (p *Plan) Run(ctx context.Context, add func(bench.Run)) error {
	all, err := p.trials()
	if err != nil {
		return err
	}
	for i, t := range all {
		if ctx.Err() != nil {
			p.missed(t)
			continue
		}
		if p.Began != nil {
			p.Began(i+1, len(all), t.String())
		}
		place, err := p.open(t)
		if err != nil {
			return err
		}
		run := p.one(ctx, place, t)
		place.close()
		if ctx.Err() == nil || len(run.Shown) > 0 {
			add(run)
		} else {
			p.missed(t)
		}
	}
	return context.Cause(ctx)
}

func (p *Plan) missed(t trial) {
	if p.Missed != nil {
		p.Missed(bench.Missing{What: t.what(), Repeat: t.repeat})
	}
}
