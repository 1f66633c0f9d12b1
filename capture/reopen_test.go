package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/stream"
)

// flaky is a device that a test opens, feeds and breaks.
type flaky struct {
	cfg Config

	mu    sync.Mutex
	opens []time.Time
	fails []error // of the openings, in turn; then it works
	now   *io.PipeWriter
	hang  chan struct{}

	patience time.Duration
}

// write makes the device give data, fail breaks it, and opened tells when it was opened.
func (d *flaky) write(data []byte) error {
	d.mu.Lock()
	w := d.now
	d.mu.Unlock()
	_, err := w.Write(data)
	return err
}

func (d *flaky) fail(errs ...error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = errs
	d.now.Close()
}

func (d *flaky) opened() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.opens)
}

func (d *flaky) open(_ context.Context, c *counters) (stream.Source, error) {
	d.mu.Lock()
	d.opens = append(d.opens, time.Now())
	hang := d.hang
	d.mu.Unlock()
	if hang != nil {
		<-hang
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.fails) > 0 {
		err := d.fails[0]
		d.fails = d.fails[1:]
		if err != nil {
			return nil, err
		}
	}
	r, w := io.Pipe()
	d.now = w
	m := &mjpeg{
		jpegs: &jpegs{counters: c, log: d.cfg.Log, info: Info{Name: "flaky", Live: true}, patience: d.patience, finish: func() { r.Close() }, interrupt: func() { r.Close() }},
		r:     r, max: d.cfg.MaxFrame, framed: true,
		ended: func() error { return errors.New("broken") },
		fail:  func(err error) error { return err },
	}
	return jpegSource(m.start(d.cfg.FPS), d.cfg)
}

func openFlaky(t *testing.T, d *flaky, cfg Config) stream.Source {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	d.cfg = cfg
	s, err := openAgain(t.Context(), cfg, "flaky", d.open)
	if err != nil {
		t.Fatal(err)
	}
	return closedOnce(t, s)
}

func TestReopensWithBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		d := &flaky{}
		s := openFlaky(t, d, Config{Log: log.log()})
		picture := greys(t, 1, 640, 480)[0]
		d.write(picture)
		all := take(t, s, 1)

		gone := errors.New("still gone")
		lost := time.Now()
		d.fail(slices.Repeat([]error{gone}, 6)...)
		for len(d.opened()) < 8 {
			all = append(all, take(t, s, 1)...)
		}
		var waits []string
		opens := d.opened()
		for i, at := range opens[1:] {
			waits = append(waits, at.Sub(max2(lost, opens[i])).String())
		}
		if got := fmt.Sprint(waits); got != "[250ms 500ms 1s 2s 2s 2s 2s]" {
			t.Errorf("it waited %s", got)
		}
		all = append(all, take(t, s, 2)...)
		d.write(picture)
		f := take(t, s, 1)[0]
		if !bytes.Equal(f.jpeg, picture) {
			t.Error("the picture did not come through")
		}
		for i, f := range append(all, f) {
			if f.id != uint32(i) || f.size != image.Pt(640, 480) {
				t.Fatalf("frame %d has ID %d and %v", i, f.id, f.size)
			}
		}
		if got, want := stats(s), (Stats{Pictures: 2, Reopened: 1, Placeholder: uint64(len(all) - 1)}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		balanced(t, s, len(all)+1)
		synctest.Wait()
		if l := log.String(); strings.Count(l, "source lost") != 1 || strings.Count(l, "still lost") != 1 || strings.Count(l, "source is back") != 1 {
			t.Errorf("the log:\n%s", l)
		}
		// What gives pictures for some seconds starts the back-off anew, a single one does not.
		for _, tt := range []struct{ lasts, want time.Duration }{{0, lastRetry}, {steadyAfter, firstRetry}} {
			d.write(picture)
			take(t, s, 1)
			time.Sleep(tt.lasts)
			d.write(picture)
			take(t, s, 1)
			d.fail()
			again, before := time.Now(), len(d.opened())
			for len(d.opened()) == before {
				take(t, s, 1)
			}
			take(t, s, 1)
			if got := d.opened()[before].Sub(again); got != tt.want {
				t.Errorf("after %v of pictures the first wait is %v, want %v", tt.lasts, got, tt.want)
			}
		}
	})
}

// A source that comes and goes all the time, as a server does that sends one picture
// for each question or breaks off within one, is not tried more often than one that
// stays away, and said no more than now and then. A last word is always true.
func TestReopensWhatFlaps(t *testing.T) {
	picture := greys(t, 1, 640, 480)[0]
	broken := slices.Concat(picture, picture[:len(picture)/2])
	for name, data := range map[string][]byte{"one picture": picture, "breaks off": broken, "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logBuffer
				d := &flaky{}
				s := openFlaky(t, d, Config{Log: log.log()})
				feed := make(chan struct{})
				defer func() { <-feed }()
				const last = time.Minute
				go func() { // breaks every opening within that time at once
					defer close(feed)
					for seen, start := 0, time.Now(); time.Since(start) < last; {
						if n := len(d.opened()); n > seen {
							seen = n
							time.Sleep(time.Millisecond) // until it is open
							if len(data) > 0 {
								d.write(data)
							}
							d.fail()
						}
						time.Sleep(10 * time.Millisecond)
					}
				}()
				for start := time.Now(); time.Since(start) < last+5*time.Second; {
					take(t, s, 1)
				}
				if n := len(d.opened()); n < 25 || n > 40 {
					t.Errorf("opened %d times in a minute, want about once in 2 s", n)
				}
				lost, back := strings.Count(log.String(), "source lost"), strings.Count(log.String(), "source is back")
				if skipped := strings.Count(log.String(), "input skipped"); lost > 13 || back > lost || skipped > 40 || data != nil && lost < 9 || data == nil && back > 0 {
					t.Errorf("said to be lost %d times, back %d times, skipped %d times:\n%s", lost, back, skipped, &log)
				}
				d.write(picture)
				for f := take(t, s, 1)[0]; !bytes.Equal(f.jpeg, picture); f = take(t, s, 1)[0] {
				}
				synctest.Wait()
				if text := log.String(); strings.Count(text, "source lost") != strings.Count(text, "source is back") {
					t.Errorf("it shows, and the log ends otherwise:\n%s", text)
				}
			})
		})
	}
}

// What is skipped is said once a second over all openings.
func TestReopenedSaysSkippedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		cfg, _ := Config{Log: log.log()}.withDefaults()
		picture := greys(t, 1, 64, 48)[0]
		count := new(counters)
		for range 10 {
			d := &flaky{cfg: cfg}
			s, err := d.open(t.Context(), count)
			if err != nil {
				t.Fatal(err)
			}
			d.write(picture[:len(picture)/2])
			d.fail()
			if _, err := s.Next(t.Context()); err == nil {
				t.Error("a picture came of half of one")
			}
			s.Close()
		}
		if n := strings.Count(log.String(), "input skipped"); n != 1 || count.damaged.Load() != 10 {
			t.Errorf("%d damaged pictures were said %d times:\n%s", count.damaged.Load(), n, &log)
		}
	})
}

func max2(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A device that opens and then breaks without a picture does not keep the machine busy.
func TestReopensNoFasterWhatOnlyOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &flaky{}
		s := openFlaky(t, d, Config{})
		d.fail()
		for start := time.Now(); time.Since(start) < 20*time.Second; {
			take(t, s, 1)
			d.fail()
		}
		if n := len(d.opened()); n < 8 || n > 16 {
			t.Errorf("opened %d times in 20 s, want about once in 2 s", n)
		}
	})
}

func TestPlaceholderIsAPictureOfItsOwn(t *testing.T) {
	for _, size := range []image.Point{{1280, 720}, {160, 120}, {16, 16}, {33, 1001}} {
		synctest.Test(t, func(t *testing.T) {
			d := &flaky{}
			s := openFlaky(t, d, Config{})
			d.write(encode(t, plain(size.X, size.Y, image.YCbCrSubsampleRatio422, 200, 90, 90), 80))
			take(t, s, 1)
			d.fail()
			img := decode(t, take(t, s, 1)[0].jpeg)
			ink := 0
			for y := range size.Y {
				for x := range size.X {
					if img.YCbCrAt(x, y).Y > 150 {
						ink++
					}
				}
			}
			if y, cb, cr := img.Y[0], img.Cb[0], img.Cr[0]; img.Rect.Size() != size || !near(y, panelLuma, 2) || !near(cb, 128, 1) || !near(cr, 128, 1) {
				t.Errorf("%v: the ground is %d,%d,%d of a picture of %v", size, y, cb, cr, img.Rect.Size())
			}
			if text := size.X > 16; text != (ink > 0) || ink > size.X*size.Y/10 {
				t.Errorf("%v: %d pixels of text", size, ink)
			}
		})
	}
}

func TestPlaceholderKeepsToALowRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &flaky{}
		s := openFlaky(t, d, Config{FPS: 0.5})
		d.write(greys(t, 1, 64, 48)[0])
		take(t, s, 1)
		d.mu.Lock()
		d.hang = make(chan struct{})
		d.mu.Unlock()
		d.fail()
		start := time.Now()
		take(t, s, 3)
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("3 placeholders took %v, want 6s", took)
		}
		start = time.Now()
		s.Close() // while an opening hangs
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		close(d.hang)
	})
}

// What fails at the start is an error, and an opening that hangs is abandoned.
func TestOpenAgainFailsAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no such thing")
		cfg, _ := Config{}.withDefaults()
		if _, err := openAgain(t.Context(), cfg, "x", (&flaky{fails: []error{broken}}).open); err != broken {
			t.Errorf("got %v", err)
		}
		var config *ConfigError
		d := &flaky{cfg: cfg}
		looped := cfg
		looped.Loop = true
		if _, err := openAgain(t.Context(), looped, "x", d.open); !errors.As(err, &config) || config.Field != "loop" {
			t.Errorf("looped: got %v", err)
		}
		if err := d.write([]byte{1}); err != io.ErrClosedPipe {
			t.Errorf("looped: the device is still open: %v", err)
		}
		d = &flaky{cfg: cfg, hang: make(chan struct{})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := openAgain(ctx, cfg, "x", d.open); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		close(d.hang)
		synctest.Wait()
		if err := d.write([]byte{1}); err != io.ErrClosedPipe {
			t.Errorf("the device that opened after all is still open: %v", err)
		}
	})
}

// A read that hangs without an end is given up after a while.
func TestFeedIsImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		calls := 0
		f := feed[int]{live: true, count: new(counters), patience: stallAfter, thin: 0.05, read: func(*item[int]) error {
			if calls++; calls <= 4 { // pictures that are thinned out are pictures, too
				time.Sleep(4 * time.Second)
				return nil
			}
			<-free
			return io.EOF
		}}
		f.start(nil)
		start := time.Now()
		if _, err := f.next(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := f.next(t.Context())
		if d := time.Since(start); err != errStalled || d < 20*time.Second || d > 26*time.Second {
			t.Errorf("got %v after %v, want it 5 to 10 s after the last picture came at 16 s", err, d)
		}
		f.stop()
		close(free)
	})
}

// Bytes without a usable picture keep nobody waiting, not even when Next is asked again
// and again, as it is while a placeholder is shown; a picture that is slow is one.
func TestJPEGsOrNothing(t *testing.T) {
	picture := greys(t, 1, 640, 480)[0]
	rest := picture[:len(picture)-2]
	for name, tt := range map[string]struct {
		data  []byte
		every time.Duration // between its bytes, over and over
		works bool
	}{
		"one byte a second":     {[]byte("x"), time.Second, false},
		"garbage":               {bytes.Repeat([]byte("garbage "), 8192), 10 * time.Millisecond, false},
		"broken pictures":       {rest, 100 * time.Millisecond, false},
		"a picture without end": {append(bytes.Clone(rest), make([]byte, 1<<20)...), time.Second, false},
		"one in 10 s":           {picture, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, _ := Config{MaxFrame: 1 << 20}.withDefaults()
				d := &flaky{cfg: cfg, patience: 3 * stallAfter}
				s, err := d.open(t.Context(), new(counters))
				if err != nil {
					t.Fatal(err)
				}
				var writing sync.WaitGroup
				defer writing.Wait()
				defer s.Close()
				d.write(picture)
				take(t, s, 1)
				writing.Go(func() {
					for d.write(tt.data) == nil {
						time.Sleep(tt.every)
					}
				})
				start, n := time.Now(), 0
				for err = nil; (err == nil || errors.Is(err, context.DeadlineExceeded)) && time.Since(start) < time.Minute; n++ {
					ctx, cancel := context.WithTimeout(t.Context(), placeholderEvery)
					_, err = nextShot(ctx, s)
					cancel()
				}
				switch took := time.Since(start).Round(time.Millisecond); {
				case tt.works:
					if err != nil && !errors.Is(err, context.DeadlineExceeded) || stats(s).Pictures < 6 {
						t.Errorf("got %v after %v, %+v", err, took, stats(s))
					}
				case err != errStalled || took != 3*stallAfter:
					t.Errorf("got %v after %v, want %v after %v", err, took, errStalled, 3*stallAfter)
				case len(tt.data) > 1 && stats(s).Garbage < 1<<19:
					t.Errorf("got %+v, want the garbage counted", stats(s))
				}
			})
		})
	}
}
