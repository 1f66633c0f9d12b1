package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
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

// session is one run of send, view or demo: what all of them say and count.
type session struct {
	role     string
	start    time.Time
	stats    string // text, json or off
	interval time.Duration
	duration time.Duration
	frames   uint64
	stdout   io.Writer
	console  *console
	log      *slog.Logger

	send *sendSide // nil where there is none
	view *viewSide

	mu     sync.Mutex // guards the rates inside send and view
	latest atomic.Pointer[figures]
}

func newSession(c *cli.Context, role string) (*session, error) {
	s := &session{
		role: role, stats: c.String("stats"), interval: c.Duration("interval"),
		duration: c.Duration("duration"), frames: c.Uint64("frames"),
		stdout: c.App.Writer, console: newConsole(c.App.ErrWriter),
	}
	s.log = s.console.logger(c.Bool("verbose"))
	switch {
	case s.stats != "text" && s.stats != "json" && s.stats != "off":
		return nil, usage("--stats is %q, want text, json or off", s.stats)
	case s.duration < 0 || c.IsSet("duration") && s.duration == 0:
		return nil, usage("--duration is %v, want more than 0", s.duration)
	case s.interval < 0 || s.interval > 0 && s.interval < 10*time.Millisecond || c.IsSet("interval") && s.interval == 0:
		return nil, usage("--interval is %v, want 10ms or more", s.interval)
	case s.interval == 0 && s.stats == "text" && !s.console.tty:
		s.interval = 10 * time.Second
	case s.interval == 0:
		s.interval = time.Second
	}
	return s, nil
}

// errOver ends a run whose --duration has passed, or whose other half is done.
var errOver = errors.New("over")

// timeLimit ends ctx when --duration has passed. The run starts now.
func (s *session) timeLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	s.start = time.Now()
	if s.duration == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, s.duration, errOver)
}

// outcome is the error of a run that ended with err: none where its user or its
// limits ended it.
func outcome(ctx context.Context, err error) error {
	if errors.Is(err, errOver) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}

// run pumps while the figures are shown, then sums up.
func (s *session) run(ctx context.Context, p *stream.Pump) error {
	stop := s.report()
	err := outcome(ctx, p.Run(ctx))
	stop()
	return err
}

// report shows figures every interval until the function it returns is called,
// which prints the final ones.
func (s *session) report() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		sample := min(s.interval, time.Second)
		tick := time.NewTicker(sample)
		defer tick.Stop()
		s.sample(time.Now()) // sets the rates' start
		next := s.start.Add(s.interval)
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				f := s.sample(now)
				if now.Add(sample / 2).After(next) {
					s.print(f)
					next = next.Add(s.interval)
				}
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		s.console.setStatus("")
		s.print(s.final())
	}
}

// sample takes figures with the rates since the last sample.
func (s *session) sample(now time.Time) *figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.totals(now)
	if s.send != nil {
		f.Send.FPS, f.Send.Mbit = s.send.rates.next(now, f.Send.Frames.Sent, s.send.bytes(f.Send))
	}
	if s.view != nil {
		f.View.FPS, f.View.Mbit = s.view.rates.next(now, f.View.Frames.Shown, f.View.Network.Bytes)
		f.View.LatencyMS = s.view.ages.lastInterval()
	}
	s.latest.Store(f)
	return f
}

// final takes figures with the rates of the whole run.
func (s *session) final() *figures {
	now := time.Now()
	f := s.totals(now)
	f.Final = true
	if s.send != nil {
		r := rates{at: s.start}
		f.Send.FPS, f.Send.Mbit = r.next(now, f.Send.Frames.Sent, s.send.bytes(f.Send))
	}
	if s.view != nil {
		r := rates{at: s.view.ages.firstAt(s.start)}
		f.View.FPS, f.View.Mbit = r.next(now, f.View.Frames.Shown, f.View.Network.Bytes)
		f.View.LatencyMS = s.view.ages.total()
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
	return f
}

func (s *session) print(f *figures) {
	switch s.stats {
	case "json":
		line, err := json.Marshal(f)
		if err == nil {
			_, err = fmt.Fprintf(s.stdout, "%s\n", line)
		}
		if err != nil {
			s.stats = "off"
			s.log.Warn("no more figures: writing to standard output failed", slog.Any("error", err))
		}
	case "text":
		switch {
		case f.Final:
			s.console.say(summary(f))
		case s.console.tty:
			s.console.setStatus(status(f))
		default:
			s.log.LogAttrs(context.Background(), slog.LevelInfo, f.Role, attributes(f)...)
		}
	}
}
