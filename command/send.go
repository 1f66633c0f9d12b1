package command

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/stream"
)

func sendCommand() *cli.Command {
	return &cli.Command{
		Name: "send", Usage: "capture video and send it",
		UsageText: "framegram send --to HOST[:PORT] [--to ...] [flags]\nframegram send --listen [udp://|tcp://][HOST][:PORT] [flags]",
		Flags:     join(sourceFlags(), withEnv(bitrateFlag()), recordFlag(), outFlags("listen"), netFlags(), runFlags(), traceFlag("when it was captured, encoded, and handed to the kernel"), []cli.Flag{queueFlag()}),
		Action:    action(func(c *cli.Context) error { return run(c, "send", func(s *session) error { return runSend(c, s) }) }),
	}
}

func runSend(c *cli.Context, s *session) error {
	cfg, err := s.outConfig(c)
	if err != nil {
		return err
	}
	if err := cfg.addresses(c, "listen"); err != nil {
		return err
	}
	trace, err := s.openTrace(c)
	if err != nil {
		return err
	}
	defer trace.close()
	if trace != nil {
		cfg.udp.Sent, cfg.tcp.Sent = trace.sent, trace.sent
	}
	recorder, err := s.openRecorder(c)
	if err != nil {
		return err
	}
	ctl, err := rateControl(c, &cfg, cfg.overUDP())
	if err != nil {
		return recorder.unused(err)
	}
	source, err := s.openSource(c, ctl)
	if err != nil {
		return recorder.unused(err)
	}
	defer source.Close()
	if s.send, err = s.openSend(cfg, source, ctl); err != nil {
		return recorder.unused(err)
	}
	sink := recorder.beside(s.send.out)
	if n := c.Int("fault-queue"); n > 0 {
		sink = &queueing{Sink: sink, n: n}
	}
	s.send.pump = &stream.Pump{Source: source, Sink: sink, MaxFrames: s.frames}
	s.send.await(c.Context, cfg)
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.send.pump)
}

// await gives tcp viewers that are dialled a second to be reached, where the source is
// played and not live: it would begin, and may end, before anybody is there.
func (s *sendSide) await(ctx context.Context, cfg outConfig) {
	if r, ok := s.source.(capture.Reporter); len(cfg.tcp.To) == 0 || ok && r.Info().Live {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for ctx.Err() == nil && s.out.tcp.Stats().Connects == 0 {
		time.Sleep(5 * time.Millisecond)
	}
}

// openSend opens the way out for source. The pump is still to be made.
func (s *session) openSend(cfg outConfig, source stream.Source, ctl *rateControls) (*sendSide, error) {
	if ctl != nil {
		cfg.udp.Reported, cfg.udp.Every = ctl.reported, ctl.EveryFor
	}
	out, err := s.openOut(cfg, "listen", describe(source), announcement(source))
	if err != nil {
		return nil, err
	}
	return &sendSide{source: source, out: out, rate: ctl}, nil
}

// parseDSCP reads a number or a name: CSn (RFC 2474), AFxy (RFC 2597), EF (RFC 3246).
func parseDSCP(text string) (int, error) {
	name := strings.ToLower(text)
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= 63 {
		return n, nil
	}
	digit := func(i int, low, high byte) (int, bool) {
		return int(name[i] - '0'), name[i] >= '0'+low && name[i] <= '0'+high
	}
	switch {
	case name == "ef":
		return 46, nil
	case len(name) == 3 && strings.HasPrefix(name, "cs"):
		if n, ok := digit(2, 0, 7); ok {
			return n * 8, nil
		}
	case len(name) == 4 && strings.HasPrefix(name, "af"):
		class, okClass := digit(2, 1, 4)
		drop, okDrop := digit(3, 1, 3)
		if okClass && okDrop {
			return class*8 + drop*2, nil
		}
	}
	return 0, usage("--dscp is %q, want 0..63, cs0 to cs7, af11 to af43 or ef", text)
}
