package command

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
)

func viewCommand() *cli.Command {
	return &cli.Command{
		Name: "view", Usage: "receive video and show it",
		UsageText: "framegram view [--listen [HOST][:PORT] | --from HOST[:PORT]] [--display WHERE] [flags]",
		Flags: join(inFlags(), netFlags(), displayFlags(), withEnv(
			&cli.StringFlag{Name: "format", Category: catDisplay, Value: display.DefaultFormat, Usage: "what stdout writes, `mjpeg|y4m|bgr24`"},
			&cli.Float64Flag{Name: "fps", Category: catDisplay, Value: display.DefaultFPS, Usage: "`FRAMES` a second that the header of y4m tells"},
			&cli.BoolFlag{Name: "timecode", Category: catDisplay,
				Usage: "decode every frame, read the timecode strip in it and tell the latency from capture to decoded picture"},
		), recordFlag(), runFlags(), traceFlag("when it was captured, by the sender's clock, began to come, was whole, and decoded with its timecode read"), []cli.Flag{slowDecoderFlag()}),
		Action: action(func(c *cli.Context) error { return run(c, "view", func(s *session) error { return runView(c, s) }) }),
	}
}

// displayFlags are those of every viewer.
func displayFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "display", Category: catDisplay, Value: display.DefaultKind,
			Usage: "`WHERE` to show: auto (a window if it can, else web), window, web, stdout, images:DIR or none"},
		&cli.StringFlag{Name: "web", Category: catDisplay, DefaultText: display.DefaultWebAddr,
			Usage: "serve the page on `[HOST]:PORT`; :8080 opens it to the network"},
	)
}

func runView(c *cli.Context, s *session) error {
	cfg := s.displayConfig(c)
	cfg.Format, cfg.FPS = c.String("format"), c.Float64("fps")
	if err := s.checkDisplay(cfg); err != nil {
		return err
	}
	if _, _, err := inAddress(c); err != nil {
		return err
	}
	trace, err := s.openTrace(c)
	if err != nil {
		return err
	}
	defer trace.close()
	recorder, err := s.openRecorder(c)
	if err != nil {
		return err
	}
	in, err := s.openIn(c)
	if err != nil {
		return recorder.unused(err)
	}
	defer in.Close()
	if err := s.openView(c, cfg, in, recorder, trace); err != nil {
		return err
	}
	s.say(in.hello)
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.view.pump)
}

func (s *session) displayConfig(c *cli.Context) display.Config {
	return display.Config{
		Kind: c.String("display"), WebAddr: c.String("web"), Stdout: c.App.Writer,
		Log: s.log, Notify: s.console.say, Stats: s.pageFigures, Overlay: s.overlay,
		Stalled: s.stalled,
	}
}

// checkDisplay tells wrong usage before anything is opened.
func (s *session) checkDisplay(cfg display.Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.Kind == "stdout" && s.stats == "json" {
		return usage("--stats json and --display stdout both want standard output: use --stats text, or another display")
	}
	return nil
}

// openView opens the display and makes s.view of it, recorder included. The display
// belongs to the calling goroutine from now on (see display.Open).
func (s *session) openView(c *cli.Context, cfg display.Config, in *inbound, recorder *recorder, trace *tracer) error {
	v := &viewSide{in: in, ages: newLatencies()}
	sink, err := display.Open(cfg)
	if err != nil {
		return recorder.unused(err)
	}
	v.display = sink
	sink = timed(sink, v.ages)
	if c.Bool("timecode") || trace != nil {
		if sink, v.timecode, err = display.Measure(sink, trace.decoder()); err != nil {
			return recorder.unused(errors.Join(err, v.display.Close()))
		}
	}
	if d := c.Duration("fault-slow-decoder"); d > 0 {
		sink = slowDecoder{sink, d}
	}
	v.sink = recorder.beside(sink)
	v.pump = &stream.Pump{Source: in, Sink: v.sink, MaxFrames: s.frames}
	s.view = v
	return nil
}

// pageFigures is what the web page shows, as display.Config.Stats asks for it.
func (s *session) pageFigures() any {
	f := s.latest.Load()
	if f == nil || f.View == nil {
		return nil
	}
	brief := pageBrief{FPS: f.View.FPS, Mbit: f.View.Mbit, Lost: f.View.lostByReason(), Stalled: f.View.stalled()}
	if l := f.View.LatencyMS; l != nil {
		brief.Latency = &l.P50
	}
	return struct {
		*figures
		pageBrief
	}{f, brief}
}

// stalled is what the window shows in place of a picture, as display.Config.Stalled asks for it.
func (s *session) stalled() string {
	f := s.latest.Load()
	if f == nil {
		return ""
	}
	return f.stalled()
}

// pageBrief is what the page shows, beside the figures that it is taken from.
type pageBrief struct {
	FPS     float64           `json:"fps"`
	Mbit    float64           `json:"mbit_s"`
	Latency *float64          `json:"latency_ms,omitempty"` // median
	Lost    map[string]uint64 `json:"lost"`                 // frames by reason
	Stalled string            `json:"stalled,omitempty"`    // why no frame becomes complete although datagrams come
}

// waitFor waits until done, at most half a second.
func waitFor(ctx context.Context, done func() bool) {
	limit := time.After(500 * time.Millisecond)
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-limit:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}
