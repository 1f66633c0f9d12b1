package command

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

func relayCommand() *cli.Command {
	return &cli.Command{
		Name: "relay", Usage: "receive video and pass it on, from any transport to any, its JPEGs untouched",
		UsageText: "framegram relay [--listen ADDRESS | --from ADDRESS] [--to ADDRESS ...] [--serve ADDRESS ...] [flags]",
		Flags:     join(inFlags(), outFlags("serve"), netFlags(), recordFlag(), runFlags()),
		Action:    action(func(c *cli.Context) error { return run(c, "relay", func(s *session) error { return runRelay(c, s) }) }),
	}
}

func runRelay(c *cli.Context, s *session) error {
	cfg, err := s.outConfig(c)
	if err != nil {
		return err
	}
	if err := cfg.addresses(c, "serve"); err != nil {
		return err
	}
	if err := checkRelay(c, cfg); err != nil {
		return err
	}
	recorder, err := s.openRecorder(c)
	if err != nil {
		return err
	}
	in, err := s.openIn(c)
	if err != nil {
		return recorder.unused(err)
	}
	defer in.Close()
	out, err := s.openOut(cfg, "serve", "what comes", announce)
	if err != nil {
		return recorder.unused(err)
	}
	s.say(in.hello)
	source := &passed{in: in, log: s.log, now: time.Now}
	s.relay = &relaySide{in: in, out: out, source: source, pump: &stream.Pump{Source: source, Sink: recorder.beside(out), MaxFrames: s.frames}}
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.relay.pump)
}

// checkRelay refuses what would feed itself, and flags that neither side wants.
func checkRelay(c *cli.Context, cfg outConfig) error {
	flag, a, err := inAddress(c)
	if err != nil {
		return err
	}
	for _, out := range append(words(c, "to"), words(c, "serve")...) {
		if b, err := parseAddress("to", out, c.String("transport")); err == nil && b.transport == a.transport && b.host == a.host && b.port == a.port && a.port != 0 {
			return usage("--%s %q and %q are the same: the relay would feed itself", flag, a.text, out)
		}
	}
	ip, err := netip.ParseAddr(a.host)
	group := err == nil && forMany(ip)
	switch {
	case typed(c, "iface") && !group && !cfg.groups:
		return usage("--iface is for multicast, and no address is a group")
	case typed(c, "tcp-congestion") && a.transport != "tcp" && len(cfg.tcp.To)+len(cfg.tcp.Listen) == 0:
		return usage("--tcp-congestion is for tcp, and no address is")
	}
	return nil
}

const (
	// clockPatience is how long a relay waits for a new sender's clock. Until then, frames
	// are passed on as captured when they came: viewers behind it would take the step that
	// follows for a gap.
	clockPatience = 2 * time.Second
	// remembered is how many frames a relay knows again.
	remembered = 256
	// sameTime is how far two capture times of one frame may lie apart: each relay in a
	// ring adds the error of its clock's estimate.
	sameTime = 5 * time.Millisecond
)

// passed are the frames that a relay passes on, with their capture times by this
// machine's clock. Frames that it has passed on before, because relays stand in a ring,
// are dropped: they would go round for ever, and keep the real sender out.
type passed struct {
	in  stream.Source // an inbound
	log *slog.Logger
	now func() time.Time

	unknown time.Time // since when the sender's clock has not been known; zero when it is
	last    [remembered]print
	next    int
	looped  atomic.Uint64
	said    time.Time
}

// print tells whether two frames are one.
type print struct {
	size     int
	crc      uint32
	captured time.Time
}

// Next implements [stream.Source].
func (p *passed) Next(ctx context.Context) (*stream.Frame, error) {
	for {
		f, err := p.in.Next(ctx)
		if err != nil {
			return nil, err
		}
		p.rebase(f) // nobody else has the frame yet
		if !p.again(f) {
			return f, nil
		}
		f.Release()
	}
}

// Close implements [stream.Source].
func (p *passed) Close() error { return p.in.Close() }

// rebase sets f's capture time by this machine's monotonic clock, so that neither a step
// of this machine's clock nor what is learnt of the sender's bends what viewers see.
func (p *passed) rebase(f *stream.Frame) {
	now := p.now()
	age := f.Age(now)
	switch {
	case f.Synced:
		p.unknown = time.Time{}
	case p.unknown.IsZero():
		p.unknown = now
		fallthrough
	case now.Sub(p.unknown) < clockPatience && !f.First.IsZero():
		age = now.Sub(f.First)
	}
	f.Captured, f.Ahead, f.Synced = now.Add(-age), 0, true
}

// again reports whether f was passed on before.
func (p *passed) again(f *stream.Frame) bool {
	this := print{len(f.JPEG), fragment.FrameCRC(f.JPEG), f.Captured}
	for _, old := range p.last {
		if old.size == this.size && old.crc == this.crc && old.captured.Sub(this.captured).Abs() < sameTime {
			p.looped.Add(1)
			if now := p.now(); now.Sub(p.said) >= time.Second {
				p.said = now
				p.log.Warn("frames that were passed on come back: relays stand in a ring, take one of them out", slog.Uint64("frames", p.looped.Load()))
			}
			return true
		}
	}
	p.last[p.next] = this
	p.next = (p.next + 1) % remembered
	return false
}
