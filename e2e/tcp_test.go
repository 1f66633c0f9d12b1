//go:build linux

package e2e

import (
	"bufio"
	"image"
	"io"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/timecode"
)

// serving waits until a sender or a relay accepts viewers, and returns its address
// for --from.
func (p *program) serving() string {
	p.t.Helper()
	return "tcp://" + p.heard(`serving .* on (\S+) over tcp`)
}

// aged is a frame that came out of a viewer, and how old its picture was by then.
type aged struct {
	at  time.Time
	age time.Duration
}

// ages reads JPEGs until the end, and the timecode out of each of them.
func ages(t *testing.T, r io.Reader) (all []aged) {
	scan := codec.NewScanner(bufio.NewReaderSize(r, 1<<20), 0)
	decoder, err := codec.NewDecoder()
	if err != nil {
		t.Error(err)
		return nil
	}
	defer decoder.Close()
	var jpeg []byte
	var picture *image.YCbCr
	for {
		if jpeg, err = scan.Next(jpeg[:0]); err != nil {
			return all
		}
		at := time.Now()
		h, err := codec.ParseHeader(jpeg)
		if err != nil {
			t.Error(err)
			return all
		}
		picture = codec.ReuseYCbCr(picture, h.Width, h.Height, h.Ratio)
		if err := decoder.DecodeYCbCr(picture, jpeg); err != nil {
			t.Error(err)
			return all
		}
		code, err := timecode.Read(picture)
		if err != nil {
			t.Error(err)
			return all
		}
		all = append(all, aged{at, at.Sub(code.Captured)})
	}
}

// p95 of the frames that came from one time to another.
func p95(all []aged, from, to time.Time) time.Duration {
	var ages []time.Duration
	for _, a := range all {
		if !a.at.Before(from) && a.at.Before(to) {
			ages = append(ages, a.age)
		}
	}
	if len(ages) == 0 {
		return -1
	}
	slices.Sort(ages)
	return ages[len(ages)*95/100]
}

// A viewer behind a link of 5 Mbit/s, with a queue of 50 ms, skips to the newest frame
// instead of falling behind, and the one beside it misses nothing.
func TestSlowViewer(t *testing.T) {
	t.Parallel()
	third := 5 // of the time, in seconds
	if testutil.Long() {
		third = 10
	}
	for _, congestion := range []string{"cubic", "bbr"} {
		if congestion != "cubic" && !testutil.Long() {
			continue
		}
		t.Run(congestion, func(t *testing.T) {
			t.Parallel()
			l := newLAN(t, 3)
			tc := exec.Command(testutil.Need(t, "ip"), "netns", "exec", l.bridge.name, testutil.Need(t, "tc"),
				"qdisc", "add", "dev", "port2", "root", "tbf", "rate", "5mbit", "burst", "16kb", "latency", "50ms")
			if out, err := tc.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", tc, err, out)
			}
			sender := l.hosts[0].run("send", "--listen", "tcp://10.78.0.1", "--tcp-congestion", congestion)
			from := sender.serving()
			free := l.hosts[1].run("view", "--from", from, "--display", "none")
			free.await("frames at the free viewer", shown(10))

			r, w := io.Pipe()
			slow := l.hosts[2].runWith(options{stdout: w}, "view", "--from", from, "--display", "stdout")
			read := make(chan []aged, 1)
			go func() { read <- ages(t, r) }()
			began, before := time.Now(), free.latest().View.Frames
			time.Sleep(time.Duration(3*third) * time.Second)
			free.interrupt()
			after := free.finish().View.Frames
			slow.interrupt()
			slow.wait()
			w.Close()
			all := <-read

			at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
			early, late := p95(all, at(third/2), at(3*third/2)), p95(all, at(2*third), at(3*third))
			shown := after.Shown - before.Shown
			t.Logf("slow: %d frames in %d s, p95 of their age %v in the first half, %v in the last third; free: %d shown, %d skipped, %d left out, %d lost",
				len(all), 3*third, early.Round(time.Millisecond), late.Round(time.Millisecond), shown, after.Skipped-before.Skipped, after.LeftOut-before.LeftOut, after.Lost-before.Lost)
			if early < 0 || late < 0 || late > early+150*time.Millisecond || late > 700*time.Millisecond {
				t.Errorf("p95 of the age went from %v to %v", early, late)
			}
			if after.LeftOut != before.LeftOut || after.Lost != before.Lost || shown < uint64(90*third-20) {
				t.Errorf("the free viewer missed frames: %+v, and before %+v", after, before)
			}
		})
	}
}

// The clip over TCP into a window is the clip.
func TestWindowOverTCP(t *testing.T) {
	t.Parallel()
	testutil.Need(t, "xdotool")
	clip, display := clipFrames(t), screen(t)
	viewer := startWith(t, options{env: []string{"DISPLAY=" + display}},
		append([]string{"view", "--listen", "tcp://127.0.0.1:0", "--display", "window"}, jsonStats...)...)
	send(t, "tcp://"+viewer.listening(), "--source", clipPath(t), "--loop")
	viewer.await("picture", shown(10))
	_, grab := window(t, display)
	mustShow(t, "the window", smalls(t, grab...)[0], clip)
}
