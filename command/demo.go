package command

import (
	"context"
	"errors"
	"net/netip"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/clock"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "send video to yourself and show it: both ends in one process, the network between them",
		UsageText: "framegram demo [--source WHAT] [--display WHERE] [--transport udp|tcp] [flags]",
		Flags: join(without("timecode", without("format", sourceFlags())), withEnv(
			bitrateFlag(),
			&cli.BoolFlag{Name: "timecode", Category: catPicture, Usage: "paint the timecode strip into the picture (test has it always), and read it back from every decoded frame"},
		), recordFlag(), displayFlags(), without("pace", without("ttl", wireFlags())), without("iface", netFlags()), runFlags()),
		Action: action(func(c *cli.Context) error { return run(c, "demo", func(s *session) error { return runDemo(c, s) }) }),
	}
}

// loopback is an address of this machine that the system chooses a port for.
var loopback = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)

func runDemo(c *cli.Context, s *session) error {
	cfg, err := s.outConfig(c)
	if err != nil {
		return err
	}
	if err := checkTransport(c.String("transport")); err != nil {
		return err
	}
	shown := s.displayConfig(c)
	if err := s.checkDisplay(shown); err != nil {
		return err
	}
	recorder, err := s.openRecorder(c)
	if err != nil {
		return err
	}
	in, err := s.openLoop(c, &cfg)
	if err != nil {
		return recorder.unused(err)
	}
	if err := cfg.complete(c, ""); err != nil {
		return recorder.unused(errors.Join(err, in.Close()))
	}
	ctl, err := rateControl(c, &cfg, cfg.overUDP())
	if err != nil {
		return recorder.unused(errors.Join(err, in.Close()))
	}
	source, err := s.openSource(c, ctl)
	if err != nil {
		return recorder.unused(errors.Join(err, in.Close()))
	}
	defer source.Close()
	defer in.Close()
	in.clock = func() (clock.Offset, bool) { return clock.Offset{}, true } // both ends have the same
	if err := s.openView(c, shown, in, recorder, nil); err != nil {
		return err
	}
	if s.send, err = s.openSend(cfg, source, ctl); err != nil {
		return errors.Join(err, s.view.sink.Close())
	}
	defer s.send.out.Close()
	s.send.pump = &stream.Pump{Source: source, Sink: s.send.out}
	return s.runBoth(c.Context)
}

// openLoop opens the receiving end, and has cfg send to it.
func (s *session) openLoop(c *cli.Context, cfg *outConfig) (*inbound, error) {
	if c.String("transport") == "tcp" {
		r, err := tcp.NewReceiver(tcp.ReceiverConfig{Listen: loopback, Congestion: cfg.tcp.Congestion, Log: s.log})
		if err != nil {
			return nil, err
		}
		cfg.tcp.To = []string{r.LocalAddr().String()}
		return newInboundTCP(r), nil
	}
	r, err := udp.Listen(udp.ReceiverConfig{Listen: loopback, NoOffload: cfg.udp.NoOffload, Repair: cfg.udp.Repair >= udp.RepairNACK, Log: s.log})
	if err != nil {
		return nil, err
	}
	cfg.udp.To = []netip.AddrPort{r.LocalAddr()}
	return newInboundUDP(r), nil
}

// runBoth pumps both halves until one ends. The viewer's half runs here, on the
// display's goroutine; when the sender has ended, what is under way still arrives.
func (s *session) runBoth(ctx context.Context) error {
	sendCtx, stopSend := s.begin(ctx)
	defer stopSend()
	viewCtx, stopView := context.WithCancelCause(ctx)
	sent := make(chan error, 1)
	go func() {
		err := outcome(sendCtx, s.send.pump.Run(sendCtx))
		waitFor(viewCtx, func() bool {
			f, all := s.view.totals().Frames, s.send.totals().Frames
			return f.Shown+f.Undecodable+f.Skipped+f.LeftOut+f.Lost >= all.Sent
		})
		stopView(errOver)
		sent <- err
	}()
	err := s.pump(viewCtx, s.view.pump)
	stopView(errOver)
	stopSend()
	return errors.Join(err, <-sent)
}
