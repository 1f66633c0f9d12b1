package command

import (
	"context"
	"errors"
	"net/netip"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/udp"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "send video to yourself and show it: both ends in one process, UDP between them",
		UsageText: "framegram demo [--source WHAT] [--display WHERE] [flags]",
		Flags: join(without("timecode", without("format", sourceFlags())), withEnv(
			&cli.BoolFlag{Name: "timecode", Category: catPicture, Usage: "paint the timecode strip into the picture (test has it always), and read it back from every decoded frame"},
		), displayFlags(), networkFlags(), runFlags()),
		Action: action(func(c *cli.Context) error { return run(c, "demo", func(s *session) error { return runDemo(c, s) }) }),
	}
}

func runDemo(c *cli.Context, s *session) error {
	cfg, err := senderConfig(c, s)
	if err != nil {
		return err
	}
	shown := s.displayConfig(c)
	if err := s.checkDisplay(shown); err != nil {
		return err
	}
	source, err := s.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	receiver, err := udp.Listen(udp.ReceiverConfig{Listen: loopback, Log: s.log})
	if err != nil {
		return err
	}
	defer receiver.Close()
	if err := s.openView(c, shown, receiver); err != nil {
		return err
	}
	defer s.closeDisplay()
	cfg.To = []netip.AddrPort{receiver.LocalAddr()}
	if s.send, err = s.openSend(cfg, source); err != nil {
		return err
	}
	defer s.send.sender.Close()
	s.view.pump.MaxFrames = s.frames
	return s.runBoth(c.Context)
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
			f := s.view.totals().Frames
			return f.Shown+f.Undecodable+f.Skipped+f.Lost >= s.send.sender.Stats().Frames
		})
		stopView(errOver)
		sent <- err
	}()
	err := s.pump(viewCtx, s.view.pump)
	stopView(errOver)
	stopSend()
	return errors.Join(err, <-sent)
}
