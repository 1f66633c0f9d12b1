package capture

import (
	"context"
	"time"
)

// clock sleeps until a time or until ctx is done. The timer is reused.
type clock struct{ timer *time.Timer }

func (c *clock) until(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	d := time.Until(t)
	if d <= 0 {
		return nil
	}
	if c.timer == nil {
		c.timer = time.NewTimer(d)
	} else {
		c.timer.Reset(d)
	}
	select {
	case <-c.timer.C:
		return nil
	case <-ctx.Done():
		c.timer.Stop()
		return context.Cause(ctx)
	}
}

// pace gives numbered slots at an even rate. The schedule is absolute: slot n is due
// n/fps after slot 0, whatever happened to the slots before it, so a coarse timer
// (about 1 ms) shifts single pictures but never adds up.
type pace struct {
	fps   float64
	start time.Time // when slot 0 was taken; zero before
	next  uint64
	clock clock
}

// wait sleeps until the next slot is due and returns its number. Whoever comes more
// than an interval late gets the slot of the present: those between are left out.
func (p *pace) wait(ctx context.Context) (uint64, error) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	if now := time.Now(); !now.Before(p.due(p.next + 1)) {
		p.next = max(p.next, uint64(now.Sub(p.start).Seconds()*p.fps))
	}
	if err := p.clock.until(ctx, p.due(p.next)); err != nil {
		return 0, err
	}
	p.next++
	return p.next - 1, nil
}

func (p *pace) due(slot uint64) time.Time { return p.start.Add(mediaTime(slot, p.fps)) }

// mediaTime is when picture n of an even stream is due after picture 0. A float64
// keeps it within 100 ns for over ten years.
func mediaTime(n uint64, fps float64) time.Duration {
	return time.Duration(float64(n) / fps * float64(time.Second))
}

// playback shows pictures at their own times, counted from the first one.
type playback struct {
	zero     time.Time // when media time 0 was due; zero before the first picture
	dropping time.Time // since when pictures have been dropped in a row; zero = not
	clock    clock
}

// due sleeps until media time at and reports true; false means that its time passed
// more than interval ago, and that the caller should take the next picture instead.
//
// Dropping helps only if pictures come faster than they are shown. If they still are
// late after an interval of dropping, reading them is what is slow, and dropping
// all of them would show nothing: then the schedule gives way and moves to this one.
func (p *playback) due(ctx context.Context, at, interval time.Duration) (bool, error) {
	now := time.Now()
	if p.zero.IsZero() {
		p.zero = now.Add(-at)
	}
	if late := now.Sub(p.zero.Add(at)); late > interval {
		switch {
		case p.dropping.IsZero():
			p.dropping = now
			return false, nil
		case now.Sub(p.dropping) < interval:
			return false, nil
		}
		p.zero = now.Add(-at)
	}
	p.dropping = time.Time{}
	return true, p.clock.until(ctx, p.zero.Add(at))
}

// thinner decides which pictures of a stream pass when at most fps of them may.
// It compares times of arrival, or of the media.
type thinner struct {
	fps  float64 // 0 = all pass
	due  time.Duration
	last time.Duration // when the picture before came, whether it passed or not
	any  bool
}

func (t *thinner) pass(at time.Duration) bool {
	if t.fps == 0 {
		return true
	}
	interval := mediaTime(1, t.fps)
	// A picture may be early if the next one would be later still. That also lets the
	// jitter of a camera pass that runs at the asked rate; none of its pictures may be
	// lost. 0.3 is enough for that, and no simple fraction, so that no usual pair of
	// rates (45 and 30) hovers at the edge.
	slack := min((at-t.last)/2, interval*3/10)
	t.last = at
	if t.any && at < t.due-slack {
		return false
	}
	if !t.any || at > t.due+interval*3/2 { // the first one, or after a pause
		t.due = at
	}
	t.any = true
	t.due += interval
	return true
}
