package command

import (
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
	recorder, err := s.openRecorder(c)
	if err != nil {
		return err
	}
	in, err := s.openIn(c)
	if err != nil {
		return recorder.unused(err)
	}
	defer in.Close()
	out, err := s.openOut(cfg, "what comes", func() fragment.Announce { return announce() })
	if err != nil {
		return recorder.unused(err)
	}
	s.relay = &relaySide{in: in, out: out, pump: &stream.Pump{Source: in, Sink: recorder.beside(out), MaxFrames: s.frames}}
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.relay.pump)
}
