package trial

import (
	"context"
	"slices"

	"github.com/framegram/framegram/internal/netlab"
)

// place is where a sender and a viewer run.
type place interface {
	// name is the link in its canonical form, or what else it is.
	name() string
	// apart reports whether the ends have a clock each.
	apart() bool
	// sender is the IP address of the sender's end, on which it can serve.
	sender() string
	// iface is the interface by which a group's datagrams go from end to end and nowhere
	// else; empty where there is none such.
	iface() string
	// view starts a viewer.
	view(ctx context.Context, program string, v viewing) (viewer, error)
	// start starts a sender, which dies with us.
	start(sender *process) error
	// wire is how many bytes of IP each side has put on the link; zero = not known.
	wire() (sender, viewer uint64)
	close()
}

// open makes the place of one trial.
func (p *Plan) open(t trial) (place, error) {
	switch {
	case p.Receiver != nil:
		return p.Receiver, nil
	case t.link == nil:
		return loopback{}, nil
	}
	params := *t.link
	if params.Squeeze.Rate != 0 { // which the user counts from where the measured time begins
		params.Squeeze.After += p.Scenario.Warmup.Duration
	}
	l, err := netlab.Open(context.Background(), params) // closed by close: what was measured is still to be read
	if err != nil {
		return nil, err
	}
	return &lab{l, *t.point, params}, nil
}

// loopback is this machine.
type loopback struct{}

func (loopback) name() string                  { return "loopback" }
func (loopback) apart() bool                   { return false }
func (loopback) sender() string                { return "127.0.0.1" }
func (loopback) iface() string                 { return "" }
func (loopback) wire() (sender, viewer uint64) { return 0, 0 }
func (loopback) close()                        {}
func (loopback) start(p *process) error        { return startHere(p) }

func (loopback) view(ctx context.Context, program string, v viewing) (viewer, error) {
	return asViewer(startViewer(ctx, program, "127.0.0.1", v, startHere))
}

func startHere(p *process) error {
	dieWithUs(p.cmd)
	return p.cmd.Start()
}

// asViewer keeps a nil *localViewer from becoming a viewer that is not nil.
func asViewer(l *localViewer, err error) (viewer, error) {
	if err != nil {
		return nil, err
	}
	return l, nil
}

// lab is a link of netlab's: the sender is on host A.
type lab struct {
	link   *netlab.Link
	params netlab.Params // as the user knows it
	opened netlab.Params // as it was opened
}

func (l *lab) name() string           { return l.params.String() }
func (l *lab) apart() bool            { return false }
func (l *lab) sender() string         { return l.link.A().Addr4().String() }
func (l *lab) iface() string          { return l.link.A().Interface() }
func (l *lab) close()                 { l.link.Close() }
func (l *lab) start(p *process) error { return l.link.A().Start(p.cmd) }

func (l *lab) view(ctx context.Context, program string, v viewing) (viewer, error) {
	b := l.link.B()
	if v.Way.Connect == Group { // on another interface there is nobody to hear
		v.Args = slices.Concat(v.Args, []string{"--iface", b.Interface()})
	}
	return asViewer(startViewer(ctx, program, b.Addr4().String(), v, func(p *process) error { return b.Start(p.cmd) }))
}

func (l *lab) wire() (sender, viewer uint64) {
	s := l.link.Stats()
	return s.AB.Bytes, s.BA.Bytes
}
