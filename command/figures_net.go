package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/framegram/framegram/conceal"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// outFigures are of the way out: of one transport, or of both.
type outFigures struct {
	UDP *udp.SenderStats `json:"udp,omitempty"`
	TCP *tcp.SenderStats `json:"tcp,omitempty"`
}

// frames counts what became of those handed to the network. With both transports it
// is what became of them by the better one.
func (o *outFigures) frames() (sent, unsent, tooLarge uint64) {
	switch {
	case o.UDP != nil && o.TCP != nil:
		return max(o.UDP.Frames, o.TCP.Frames), min(o.UDP.Unsent, o.TCP.Unsent), max(o.UDP.TooLarge, o.TCP.TooLarge)
	case o.TCP != nil:
		return o.TCP.Frames, o.TCP.Unsent, o.TCP.TooLarge
	case o.UDP != nil:
		return o.UDP.Frames, o.UDP.Unsent, o.UDP.TooLarge
	}
	return 0, 0, 0
}

// bytes is the payload sent to all viewers.
func (o *outFigures) bytes() (n uint64) {
	if o.UDP != nil {
		n += o.UDP.Bytes
	}
	if o.TCP != nil {
		n += o.TCP.Bytes
	}
	return n
}

// receivers says for people who was sent to.
func (o *outFigures) receivers() string {
	var to []string
	if o.UDP != nil {
		for _, d := range o.UDP.To {
			if !d.Subscribed && !slices.Contains(to, d.Addr) { // a group once for all interfaces
				to = append(to, d.Addr)
			}
		}
	}
	var who []string
	switch len(to) {
	case 0:
	case 1:
		who = to
	default:
		who = []string{plural(len(to), "address", "addresses")}
	}
	if o.UDP != nil && o.UDP.House != nil {
		who = append(who, plural(int(o.UDP.House.Joined), "viewer")+" over udp")
	}
	if o.TCP != nil {
		who = append(who, plural(int(o.TCP.Connects), "viewer")+" over tcp")
	}
	return strings.Join(who, " and ")
}

func plural(n int, one string, many ...string) string {
	if n == 1 {
		return "1 " + one
	}
	if many == nil {
		many = []string{one + "s"}
	}
	return fmt.Sprintf("%d %s", n, many[0])
}

func (o *outFigures) troubles() (counts []count) {
	if o.UDP != nil {
		var refused uint64
		for _, to := range o.UDP.To {
			if !to.Subscribed { // or it has ended, and is forgotten in a moment
				refused += to.Refused
			}
		}
		counts = append(counts, count{"datagrams unsent", o.UDP.Failed}, count{"refusals", refused}, count{"left out for slow ways", o.UDP.LeftOut})
	}
	if o.TCP != nil {
		counts = append(counts, count{"left out for slow viewers", o.TCP.Skipped}, count{"viewers turned away", o.TCP.Refused}, count{"strangers", o.TCP.Strangers})
	}
	return counts
}

// inFigures are of the way in, by one transport.
type inFigures struct {
	UDP *udp.ReceiverStats `json:"udp,omitempty"`
	TCP *tcp.ReceiverStats `json:"tcp,omitempty"`

	Conceal *conceal.Counters `json:"conceal,omitempty"` // with --on-loss conceal
	Clock   *clockFigures     `json:"clock,omitempty"`   // the sender's, once it is known

	reason string // why no frame was complete when that was last so; empty if it never was
}

// clockFigures tell how far the sender's clock is ahead of ours, in ms: Ahead ± Bound.
type clockFigures struct {
	Ahead float64 `json:"ahead_ms"`
	Bound float64 `json:"bound_ms"`
}

// inFrames is what became of the frames of the sender: received whole, of which
// replaced were too many for us; left out by the sender; lost on the way.
type inFrames struct{ received, replaced, leftOut, lost uint64 }

func (i *inFigures) frames() inFrames {
	switch {
	case i.TCP != nil:
		return inFrames{received: i.TCP.Frames, replaced: i.TCP.Replaced, leftOut: i.TCP.LeftOut, lost: i.TCP.Damaged + i.TCP.Cut}
	case i.UDP != nil:
		return inFrames{received: i.UDP.Fragments.Complete + i.UDP.Fragments.Concealed, replaced: i.UDP.Replaced, leftOut: i.UDP.Fragments.LeftOut, lost: i.UDP.Fragments.Lost}
	}
	return inFrames{}
}

// bytes is the payload received.
func (i *inFigures) bytes() uint64 {
	switch {
	case i.TCP != nil:
		return i.TCP.Bytes
	case i.UDP != nil:
		return i.UDP.Bytes
	}
	return 0
}

// from is the sender's address, empty before the first frame.
func (i *inFigures) from() string {
	switch {
	case i.TCP != nil:
		return i.TCP.From
	case i.UDP != nil:
		return i.UDP.From
	}
	return ""
}

// heard is how much came, for who has seen no frame.
func (i *inFigures) heard() string {
	switch {
	case i.TCP != nil:
		return plural(int(i.TCP.Connects), "connection")
	case i.UDP != nil:
		return plural(int(i.UDP.Datagrams), "datagram")
	}
	return "nothing"
}

// stalled says why no frame becomes complete although datagrams come. It is empty while frames do, and while nothing
// comes.
func (i *inFigures) stalled() string {
	if i.UDP == nil {
		return ""
	}
	return i.UDP.Stalled
}

// stalled is that of the way in, where there is one.
func (f *figures) stalled() string {
	switch {
	case f.View != nil:
		return f.View.stalled()
	case f.Relay != nil:
		return f.Relay.In.stalled()
	}
	return ""
}

// why says for the summary why no frame was received, as far as that is known; it is empty if one was.
func (i *inFigures) why() string {
	if i.reason == "" || i.frames().received > 0 {
		return ""
	}
	return ": " + i.reason
}

// advice is for who has heard of no sender at all; where something came, the counts tell more.
func (i *inFigures) advice() string {
	if i.TCP != nil && i.TCP.Connects == 0 || i.UDP != nil && i.UDP.Datagrams == 0 {
		return ": is the sender running, are host and port the same at both ends, and does a firewall let it through?"
	}
	return ""
}

// lostByReason tells the lost frames of which a part came from the others. (Counted
// by frames given up, of which one or two may be newer than the newest whole one.)
func (i *inFigures) lostByReason() map[string]uint64 {
	all, lost := i.frames(), map[string]uint64{}
	if i.UDP != nil {
		partly := min(i.UDP.Fragments.Incomplete.Sum()-i.UDP.Fragments.Concealed, all.lost)
		add(lost, "incomplete", partly)
		add(lost, "never seen", all.lost-partly)
	} else {
		add(lost, "damaged", i.TCP.Damaged)
		add(lost, "cut off", i.TCP.Cut)
	}
	add(lost, "left out by the sender", all.leftOut)
	return lost
}

func add(counts map[string]uint64, name string, n uint64) {
	if n > 0 {
		counts[name] = n
	}
}

func (i *inFigures) troubles() []count {
	switch {
	case i.TCP != nil:
		return []count{{"reconnections", max(i.TCP.Connects, 1) - 1}, {"strangers", i.TCP.Strangers}}
	case i.UDP != nil:
		d := i.UDP.Fragments.Dropped
		return []count{
			{"datagrams missing", i.UDP.Fragments.Missing}, {"dropped by this machine's kernel", i.UDP.KernelDrops},
			{"frames repaired", i.UDP.Fragments.Repaired}, {"rebuilt", i.UDP.Fragments.Rebuilt}, {"concealed", i.UDP.Fragments.Concealed},
			{"malformed", d.Malformed}, {"of another version", d.OtherVersion}, {"sealed", d.Sealed}, {"from strangers", d.Stranger},
		}
	}
	return nil
}
