package trial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/framegram/framegram/bench"
)

const (
	// startWithin is how long a process may take to begin.
	startWithin = 10 * time.Second
	// endWithin is how long a sender may take beyond its time.
	endWithin = 10 * time.Second
	// spare is how much longer a sender runs than is measured: it starts before its
	// first frame.
	spare = 500 * time.Millisecond
	// settle is how long the viewer is left for what is under way at the end.
	settle = 500 * time.Millisecond
)

// one runs a trial. What fails in it is the Run's Err.
func (p *Plan) one(ctx context.Context, place place, t trial) bench.Run {
	run := bench.Run{
		Point: bench.Point{
			Transport: t.way.Transport, Congestion: t.way.Congestion, Repair: t.way.Repair, Connect: t.way.Connect,
			Slices: t.way.Slices, Link: place.name(), LinkName: p.LinkName, Sweep: t.sweep, Scenario: p.Scenario,
		},
		Repeat: t.repeat,
	}
	if t.link != nil {
		run.Seed = max(t.link.Seed, 1)
		if q := t.link.Squeeze; q.Rate != 0 {
			run.Squeeze = &bench.Squeeze{Rate: q.Rate, At: bench.Duration{Duration: q.After}, For: bench.Duration{Duration: q.For}}
		}
	}
	if err := p.measure(ctx, place, t, &run); err != nil && ctx.Err() == nil {
		run.Err = err.Error()
	}
	return run
}

// ends are the two processes of a trial.
type ends struct {
	viewer viewer
	sender *process
	trace  string           // the sender's file
	began  time.Time        // where its time begins, warm-up included
	over   <-chan time.Time // when it has passed; nil: the sender ends by itself
	closed bool             // the viewer has ended
}

func (p *Plan) measure(ctx context.Context, place place, t trial, run *bench.Run) error {
	dir, err := os.MkdirTemp("", "framegram-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e := &ends{trace: filepath.Join(dir, "trace")}
	defer e.close()
	length := p.Scenario.Warmup.Duration + p.Scenario.Length.Duration + spare
	if t.way.Connect == Subscribe {
		err = p.subscribe(ctx, place, t.way, length, e)
		run.Began = e.began.UnixMicro()
	} else {
		err = p.push(ctx, place, t.way, length, e)
	}
	if err != nil {
		return err
	}

	err = e.wait(ctx, length)
	if ctx.Err() != nil { // by the user: what there is counts, but the warm-up
		run.Measured = bench.Duration{Duration: time.Since(e.began) - p.Scenario.Warmup.Duration - spare}
		if run.Measured.Duration <= 0 {
			return nil
		}
	}
	e.sender.end()
	if err == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-e.viewer.gone():
			err = fmt.Errorf("viewer: %w", e.viewer.why())
		case <-time.After(settle):
		}
	}
	got, viewErr := e.viewer.end()
	e.closed = true
	if viewErr != nil && err == nil {
		err = fmt.Errorf("viewer: %w", viewErr)
	}
	err = errors.Join(err, collect(run, place, e.sender, e.trace, got))
	if f, lost := e.sender.figures(); p.FromStart && run.Began == 0 && lost == nil {
		run.Began = f.began()
	}
	return err
}

// push has the viewer listen, or join a group, and the sender send there.
func (p *Plan) push(ctx context.Context, place place, way Way, length time.Duration, e *ends) (err error) {
	iface := place.iface()
	if way.Connect == Group && iface == "" {
		return errors.New("a group needs an emulated link, which its datagrams cannot leave")
	}
	if e.viewer, err = p.view(ctx, place, way, ""); err != nil {
		return err
	}
	to := []string{"--to", way.Transport + "://" + e.viewer.at()}
	if way.Connect == Group {
		to = append(to, "--iface", iface)
	}
	err = p.send(place, way, length, e, to...)
	e.began = e.sender.began
	return err
}

// subscribe has the sender serve, and then the viewer ask. The trial's time begins with the
// start of the viewer: what it takes to become a subscriber is measured. The sender
// serves until it is ended.
func (p *Plan) subscribe(ctx context.Context, place place, way Way, length time.Duration, e *ends) (err error) {
	e.began = time.Now()
	serve := way.Transport + "://" + net.JoinHostPort(place.sender(), "0")
	if err := p.send(place, way, length+2*startWithin, e, "--listen", serve); err != nil {
		return err
	}
	at, err := e.sender.hear(serving, startWithin, ctx.Done())
	if err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	e.began = time.Now()
	e.over = time.After(length)
	e.viewer, err = p.view(ctx, place, way, at)
	return err
}

// serving is what a sender says when viewers can ask it.
var serving = regexp.MustCompile(`serving .* on (\S+) over`)

// view starts a viewer, which asks the sender at from, if there is one to ask.
func (p *Plan) view(ctx context.Context, place place, way Way, from string) (viewer, error) {
	way.Slices = "" // a viewer takes what comes
	v, err := place.view(ctx, p.Program, viewing{Way: way, From: from, Deadline: p.Scenario.Deadline, Args: p.ViewerArgs})
	if err != nil {
		return nil, fmt.Errorf("viewer: %w", err)
	}
	return v, nil
}

// send starts the sender of e, which ends after length.
func (p *Plan) send(place place, way Way, length time.Duration, e *ends, where ...string) error {
	s := p.Scenario
	e.sender = newProcess(p.Program, slices.Concat([]string{"send"}, where, []string{"--trace", e.trace,
		"--source", s.Source, "--fps", strconv.FormatFloat(s.FPS, 'g', -1, 64), "--duration", length.String()},
		p.picture(), way.sender(p.Parity), p.SenderArgs)...)
	if err := place.start(e.sender); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	e.sender.watch()
	return nil
}

// close ends what still runs.
func (e *ends) close() {
	if e.sender != nil {
		e.sender.end()
	}
	if e.viewer != nil && !e.closed {
		e.viewer.end()
	}
}

// wait waits for the end of the sender or of its time, which is the trial's.
func (e *ends) wait(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return nil
	case <-e.viewer.gone():
		return fmt.Errorf("viewer: %w", e.viewer.why())
	case <-e.over:
		return nil
	case <-time.After(length + endWithin):
		return fmt.Errorf("sender: it did not end within %v of its time", endWithin)
	case <-e.sender.done:
		if e.sender.err != nil {
			return fmt.Errorf("sender: %w", e.sender.died())
		}
		return nil
	}
}

// collect makes run of what both ends have left.
func collect(run *bench.Run, place place, sender *process, trace string, got received) error {
	f, err := os.Open(trace)
	if err == nil {
		run.Sent, err = bench.ReadSent(f)
		f.Close()
	}
	tx, figuresErr := sender.figures()
	if figuresErr != nil {
		figuresErr = fmt.Errorf("sender: %w", figuresErr)
	}
	fromSender, fromViewer := place.wire()
	run.Shown = got.Shown
	if run.Transport == "udp" {
		run.Repairs = repairs(&tx, &got.Figures)
	}
	run.Sender, run.Viewer = tx.sender(run.Sent, fromSender), got.Figures.viewer(run.Shown, fromViewer)
	for _, v := range tx.Send.TCP.Viewers {
		run.Congestion = v.Congestion
	}
	if c := got.Figures.View.Clock; c != nil && place.apart() {
		run.Clock = &bench.Clock{Ahead: milliseconds(c.Ahead), Bound: milliseconds(c.Bound)}
	}
	return errors.Join(err, figuresErr)
}

func milliseconds(ms float64) bench.Duration { return seconds(ms / 1000) }

// picture are the sender's arguments about it.
func (p *Plan) picture() (args []string) {
	if p.Scenario.Width > 0 {
		args = append(args, "--size", fmt.Sprintf("%dx%d", p.Scenario.Width, p.Scenario.Height))
	}
	if p.Scenario.Quality > 0 {
		args = append(args, "--quality", strconv.Itoa(p.Scenario.Quality))
	}
	return args
}

// args are the arguments of both ends.
func (w Way) args() (args []string) {
	if w.Congestion != "" {
		args = append(args, "--tcp-congestion", w.Congestion)
	}
	if w.Repair != "" {
		args = append(args, "--repair", w.Repair)
	}
	return args
}

// sender are the sender's arguments.
func (w Way) sender(parity string) []string {
	args := w.args()
	if w.HasParity() && parity != "" {
		args = append(args, "--parity", parity)
	}
	if w.Slices != "" {
		args = append(args, "--slices", w.Slices)
	}
	return args
}
