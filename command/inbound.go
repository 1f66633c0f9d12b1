package command

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/clock"
	"github.com/framegram/framegram/conceal"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// inbound is the way into a viewer: one transport. Its frames tell how far the sender's
// clock is ahead, as soon as that is known.
type inbound struct {
	stream.Source
	udp   *udp.Receiver // nil, or
	tcp   *tcp.Receiver // nil
	clock func() (clock.Offset, bool)
	hello string          // what to tell the user once all is open
	fills *conceal.Filler // nil: what is incomplete is dropped

	reason atomic.Pointer[string] // why no frame was complete, when that was last so
}

// openIn opens the socket.
func (s *session) openIn(c *cli.Context) (*inbound, error) {
	flag, a, err := inAddress(c)
	if err != nil {
		return nil, err
	}
	if a.transport == "tcp" {
		if err := onlyMulticast(c, false); err != nil {
			return nil, err
		}
		for _, name := range []string{"repair", "deadline", "on-loss"} {
			if typed(c, name) && !(name == "repair" && c.Command.Name == "relay") { // its other side may want it
				return nil, usage("--%s is for udp, and %q is tcp", name, a.text)
			}
		}
		return s.openInTCP(c, flag, a)
	}
	if typed(c, "tcp-congestion") && c.Command.Name != "relay" {
		return nil, usage("--tcp-congestion is for tcp, and %q is udp", a.text)
	}
	cfg, err := s.inConfig(c, flag, a)
	if err != nil {
		return nil, err
	}
	fills, err := onLoss(c)
	if err != nil {
		return nil, err
	}
	if fills != nil {
		cfg.Frames.Filler = fills
	}
	receiver, err := udp.Listen(cfg)
	if err != nil {
		return nil, inWords(flag, a.text, err)
	}
	in := newInboundUDP(receiver)
	in.fills = fills
	if in.hello = fmt.Sprintf("asking %v for frames over udp", a); cfg.From == "" {
		in.hello = fmt.Sprintf("waiting for frames on %v over udp%s", receiver.LocalAddr(), invitation("send --to", "", receiver.LocalAddr()))
	}
	return in, nil
}

func newInboundUDP(r *udp.Receiver) *inbound { return &inbound{Source: r, udp: r, clock: r.Clock} }

func newInboundTCP(r *tcp.Receiver) *inbound { return &inbound{Source: r, tcp: r, clock: r.Clock} }

func (s *session) openInTCP(c *cli.Context, flag string, a address) (*inbound, error) {
	cfg := tcp.ReceiverConfig{Congestion: c.String("tcp-congestion"), Log: s.log}
	if flag == "from" {
		cfg.From = a.String()
	} else {
		at, err := a.listenAddress(c.Context)
		if err != nil {
			return nil, fmt.Errorf("--%s %q: %w", flag, a.text, err)
		}
		cfg.Listen = at
	}
	receiver, err := tcp.NewReceiver(cfg)
	if err != nil {
		return nil, inWords(flag, a.text, err)
	}
	in := newInboundTCP(receiver)
	if in.hello = fmt.Sprintf("fetching frames from %v over tcp", a); flag == "listen" {
		in.hello = fmt.Sprintf("waiting for frames on %v over tcp%s", receiver.LocalAddr(), invitation("send --to", "tcp://", receiver.LocalAddr()))
	}
	return in, nil
}

// Close implements [stream.Source].
func (in *inbound) Close() error {
	err := in.Source.Close()
	if in.fills != nil {
		in.fills.Close()
	}
	return err
}

// Next implements [stream.Source].
func (in *inbound) Next(ctx context.Context) (*stream.Frame, error) {
	f, err := in.Source.Next(ctx)
	if err == nil {
		if offset, ok := in.clock(); ok { // nobody else has the frame yet
			f.Ahead, f.Synced = offset.Ahead, true
		}
	}
	return f, err
}

func (in *inbound) stats() (f inFigures) {
	if in.udp != nil {
		stats := in.udp.Stats()
		f.UDP = &stats
		if stats.Stalled != "" {
			in.reason.Store(&stats.Stalled)
		}
	}
	if reason := in.reason.Load(); reason != nil {
		f.reason = *reason
	}
	if in.fills != nil {
		counts := in.fills.Counters()
		f.Conceal = &counts
	}
	if in.tcp != nil {
		stats := in.tcp.Stats()
		f.TCP = &stats
	}
	if offset, ok := in.clock(); ok {
		f.Clock = &clockFigures{Ahead: milliseconds(offset.Ahead), Bound: milliseconds(offset.Bound)}
	}
	return f
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
