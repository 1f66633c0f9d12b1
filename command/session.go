package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/stream"
)

func runFlags() []cli.Flag {
	return withEnv(
		&cli.DurationFlag{Name: "duration", Category: catRun, DefaultText: "never", Usage: "stop after this `TIME`, such as 10s or 5m"},
		&cli.Uint64Flag{Name: "frames", Category: catRun, DefaultText: "never", Usage: "stop after `N` frames sent or shown"},
		&cli.StringFlag{Name: "stats", Category: catRun, Value: "text",
			Usage: "`text|json|off`: text is a status line on a terminal and log lines elsewhere; json is one object a line on standard output, the last with \"final\":true"},
		&cli.DurationFlag{Name: "interval", Category: catRun, DefaultText: "1s, log lines 10s", Usage: "`TIME` between figures"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: catRun, Usage: "log more"},
	)
}

// session is one run of send, view, relay or demo: what all of them say and count.
type session struct {
	role     string
	start    time.Time
	stats    string // text, json or off
	interval time.Duration
	duration time.Duration
	frames   uint64
	console  *console
	log      *slog.Logger
	json     *outlet                 // nil unless --stats json
	over     context.CancelCauseFunc // ends the run when nobody reads the figures any more; set by begin

	send   *sendSide // nil where there is none
	view   *viewSide
	relay  *relaySide
	record *recorder

	latest atomic.Pointer[figures] // for the page
}

func newSession(c *cli.Context, role string) (*session, error) {
	s := &session{
		role: role, stats: cmp.Or(c.String("stats"), "text"), interval: c.Duration("interval"),
		duration: c.Duration("duration"), frames: c.Uint64("frames"),
	}
	switch {
	case s.stats != "text" && s.stats != "json" && s.stats != "off":
		return nil, usage("--stats is %q, want text, json or off", s.stats)
	case s.duration < 0 || c.IsSet("duration") && s.duration == 0:
		return nil, usage("--duration is %v, want more than 0", s.duration)
	case s.interval < 0 || s.interval > 0 && s.interval < 10*time.Millisecond || c.IsSet("interval") && s.interval == 0:
		return nil, usage("--interval is %v, want 10ms or more", s.interval)
	}
	s.console = newConsole(c.App.ErrWriter)
	s.log = s.console.logger(c.Bool("verbose"))
	if s.stats == "json" {
		s.json = newOutlet(c.App.Writer, func(error) { s.over(errOver) })
	}
	switch {
	case s.interval == 0 && s.stats == "text" && s.console.tty == nil:
		s.interval = 10 * time.Second
	case s.interval == 0:
		s.interval = time.Second
	}
	return s, nil
}

// run is a command: it makes a session, which do uses, and finishes what was printed.
func run(c *cli.Context, role string, do func(*session) error) error {
	s, err := newSession(c, role)
	if err != nil {
		return err
	}
	defer s.console.close()
	err = outcome(c.Context, do(s))
	if s.json != nil {
		if lost := s.json.Close(); lost != nil && !errors.Is(lost, syscall.EPIPE) { // a reader may leave
			err = errors.Join(err, fmt.Errorf("the figures of --stats json could not be written: %w", lost))
		}
	}
	return err
}

// errOver ends a run whose --duration has passed, or whose other half is done.
var errOver = errors.New("over")

// limit ends ctx when --duration has passed.
func (s *session) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.duration == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, s.duration, errOver)
}

// say writes one line for the user, unless nothing is to be said.
func (s *session) say(line string) {
	if s.stats != "off" {
		s.console.say(line)
	}
}

// begin starts the run's clock and its limit.
func (s *session) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	s.start = time.Now()
	ctx, s.over = context.WithCancelCause(ctx)
	ctx, cancel := s.limit(ctx)
	return ctx, func() { cancel(); s.over(nil) }
}

// outcome is the error of what ended with err: none where its user or its limits
// ended it.
func outcome(ctx context.Context, err error) error {
	if errors.Is(err, errOver) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}

// pump runs p while the figures are shown, closes its sink and sums up. What the sink
// could not finish is said.
func (s *session) pump(ctx context.Context, p *stream.Pump) error {
	stop := s.report()
	err := outcome(ctx, p.Run(ctx))
	f := stop()
	s.record.end()
	if lost := p.Sink.Close(); lost != nil {
		s.log.Warn("closing: " + oneLine(lost))
	}
	f.Record = s.record.totals() // what still waited for the disk is in it now
	s.afterClose(f)
	s.print(f)
	return err
}

// afterClose takes the last frame of a stream over tcp into f: connections may have taken it only while they were closed.
func (s *session) afterClose(f *figures) {
	last := func(o *outbound, was *outFigures) {
		if o.tcp != nil {
			now := o.tcp.Stats()
			now.Viewers = was.TCP.Viewers // there until then
			was.TCP = &now
		}
	}
	if f.Send != nil {
		last(s.send.out, &f.Send.outFigures)
		f.Send.Frames.Sent, f.Send.Frames.Unsent, f.Send.Frames.TooLarge = f.Send.outFigures.frames()
	}
	if f.Relay != nil {
		last(s.relay.out, &f.Relay.Out)
		f.Relay.Frames.Sent, f.Relay.Frames.Unsent, f.Relay.Frames.TooLarge = f.Relay.Out.frames()
	}
}

// report shows figures every interval, and to the page every second, until the
// function it returns is called, which takes the final ones.
func (s *session) report() (stop func() *figures) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		forPrint, forPage := newSampler(s, lastPrint), newSampler(s, lastPage)
		print, page := time.NewTicker(s.interval), time.NewTicker(time.Second)
		defer print.Stop()
		defer page.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-print.C:
				s.print(forPrint.take(now))
			case now := <-page.C:
				s.latest.Store(forPage.take(now))
			}
		}
	}()
	return func() *figures {
		close(done)
		<-ended
		s.console.setStatus(nil)
		return s.final()
	}
}

// sampler takes figures with the rates and latencies since it last did.
type sampler struct {
	s    *session
	span int

	send, view, relay rates
}

func newSampler(s *session, span int) *sampler {
	m := &sampler{s: s, span: span}
	m.take(time.Now()) // where the rates begin
	return m
}

func (m *sampler) take(now time.Time) *figures {
	f := m.s.totals(now)
	if f.Send != nil {
		f.Send.FPS, f.Send.Mbit = m.send.next(now, f.Send.Frames.Sent, f.Send.outFigures.bytes())
	}
	if f.View != nil {
		f.View.FPS, f.View.Mbit = m.view.next(now, f.View.Frames.Shown, f.View.inFigures.bytes())
		f.View.LatencyMS = m.s.view.ages.take(m.span).within(f.View.Clock)
	}
	if f.Relay != nil {
		f.Relay.FPS, f.Relay.Mbit = m.relay.next(now, f.Relay.Frames.Sent, f.Relay.Out.bytes())
	}
	return f
}

// final takes figures with the rates of the whole run, where it was long enough to
// speak of a rate.
func (s *session) final() *figures {
	now := time.Now()
	f := s.totals(now)
	f.Final = true
	const least = 100 * time.Millisecond
	if f.Send != nil && now.Sub(s.start) >= least {
		r := rates{at: s.start}
		f.Send.FPS, f.Send.Mbit = r.next(now, f.Send.Frames.Sent, f.Send.outFigures.bytes())
	}
	if f.View != nil {
		if from, to := s.view.ages.showing(f.View.Frames.Shown); to.Sub(from) >= least {
			r := rates{at: from}
			f.View.FPS, f.View.Mbit = r.next(to, f.View.Frames.Shown, f.View.inFigures.bytes())
		}
		f.View.LatencyMS = s.view.ages.take(wholeRun).within(f.View.Clock)
	}
	if f.Relay != nil && now.Sub(s.start) >= least {
		r := rates{at: s.start}
		f.Relay.FPS, f.Relay.Mbit = r.next(now, f.Relay.Frames.Sent, f.Relay.Out.bytes())
	}
	return f
}

func (s *session) totals(now time.Time) *figures {
	f := &figures{Role: s.role, Unix: float64(now.UnixMicro()) / 1e6, Elapsed: now.Sub(s.start).Seconds()}
	cpu, peak := processCost()
	f.CPU, f.Peak = cpu.Seconds(), peak
	if s.send != nil {
		f.Send = s.send.totals()
	}
	if s.view != nil {
		f.View = s.view.totals()
	}
	if s.relay != nil {
		f.Relay = s.relay.totals()
	}
	f.Record = s.record.totals()
	return f
}

func (s *session) print(f *figures) {
	switch {
	case s.stats == "json":
		if line, err := json.Marshal(f); err != nil {
			s.log.Error("figures", slog.Any("error", err))
		} else {
			s.json.Write(append(line, '\n'))
		}
	case s.stats == "off":
	case f.Final:
		s.console.say(summary(f))
	case s.console.tty != nil:
		s.console.setStatusAnd(status(f), f.stalled(), rows(f))
	default:
		s.log.LogAttrs(context.Background(), slog.LevelInfo, f.Role, attributes(f)...)
	}
}
