package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		Point:  bench.Point{Transport: t.way.Transport, Congestion: t.way.Congestion, Repair: t.way.Repair, Slices: t.way.Slices, Link: place.name(), LinkName: p.LinkName, Sweep: t.sweep, Scenario: p.Scenario},
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

func (p *Plan) measure(ctx context.Context, place place, t trial, run *bench.Run) (err error) {
	asked := t.way
	asked.Slices = "" // a viewer takes what comes
	viewer, err := place.view(ctx, p.Program, viewing{asked, p.Scenario.Deadline, p.ViewerArgs})
	if err != nil {
		return fmt.Errorf("viewer: %w", err)
	}
	ended := false
	defer func() {
		if !ended {
			viewer.end()
		}
	}()

	dir, err := os.MkdirTemp("", "framegram-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	trace := filepath.Join(dir, "trace")
	s := p.Scenario
	length := s.Warmup.Duration + s.Length.Duration + spare
	sender := newProcess(p.Program, slices.Concat([]string{"send", "--to", t.way.Transport + "://" + viewer.at(), "--trace", trace,
		"--source", s.Source, "--fps", strconv.FormatFloat(s.FPS, 'g', -1, 64), "--duration", length.String()},
		p.picture(), t.way.sender(p.Parity), p.SenderArgs)...)
	if err := place.start(sender); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	sender.watch()
	defer sender.end()

	err = wait(ctx, viewer, sender, length)
	if ctx.Err() != nil { // by the user: what there is counts, but the warm-up
		run.Measured = bench.Duration{Duration: time.Since(sender.began) - s.Warmup.Duration - spare}
		if run.Measured.Duration <= 0 {
			return nil
		}
	}
	sender.end()
	if err == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-viewer.gone():
			err = fmt.Errorf("viewer: %w", viewer.why())
		case <-time.After(settle):
		}
	}
	got, viewErr := viewer.end()
	ended = true
	if viewErr != nil && err == nil {
		err = fmt.Errorf("viewer: %w", viewErr)
	}
	return errors.Join(err, collect(run, place, sender, trace, got))
}

// wait waits for the sender's end, which is the trial's.
func wait(ctx context.Context, viewer viewer, sender *process, length time.Duration) error {
	select {
	case <-ctx.Done():
		return nil
	case <-viewer.gone():
		return fmt.Errorf("viewer: %w", viewer.why())
	case <-time.After(length + endWithin):
		return fmt.Errorf("sender: it did not end within %v of its time", endWithin)
	case <-sender.done:
		if sender.err != nil {
			return fmt.Errorf("sender: %w", sender.died())
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
