//go:build cgo && !nocv && linux

package display

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// driven is a window on an X server of its own, its figures, and what it said.
type driven struct {
	*testing.T
	*feeder
	figures func() Stats
	ended   chan error
	dir     string // of the snapshots

	asked atomic.Int64 // calls of Overlay
	lines atomic.Pointer[[]string]
	mu    sync.Mutex
	said  []string
	log   bytes.Buffer
}

var one, two = [4]color.RGBA{red, green, blue, grey}, [4]color.RGBA{blue, grey, green, red}

// drive opens a window that shows one, 640x360, and has the keyboard.
func drive(t *testing.T, dir string) *driven {
	useX(t)
	d := &driven{T: t, dir: dir}
	d.lines.Store(&[]string{"30.0 fps", "latency 12.3 ms ±0.4 ms", "lost 3 of 1200: 2 incomplete, 1 late"})
	d.feeder, d.figures, d.ended = show(t, Config{
		SnapshotDir: dir,
		Overlay: func() []string {
			d.asked.Add(1)
			return *d.lines.Load()
		},
		Notify: func(line string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.said = append(d.said, line)
		},
		Log: slog.New(slog.NewTextHandler(d, nil)),
	})
	d.pictures <- encode(t, quarters(640, 360, one))
	windowShows(t, 640, 360, one)
	xdo(t, "search", "--name", "^framegram test", "windowfocus", "--sync")
	return d
}

// Write takes the log.
func (d *driven) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

func (d *driven) notified() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.said...)
}

func (d *driven) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// key presses keys one after the other. highgui may lose one that comes within some 20
// ms of another: where it matters, something is waited for between them.
func (d *driven) key(names ...string) {
	d.Helper()
	for _, name := range names {
		xdo(d.T, "key", name)
	}
}

// becomes waits until what is on the screen differs from before within want alone,
// and there; an empty want is for no difference.
func (d *driven) becomes(what string, before image.Image, want image.Rectangle) {
	d.Helper()
	var got image.Rectangle
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if got = difference(before, grabX(d.T)); got == want || !got.Empty() && got.In(want) {
			return
		}
	}
	d.Fatalf("%s: the screen differs in %v, want in %v", what, got, want)
}

// difference is the smallest rectangle around the pixels in which a and b differ.
func difference(a, b image.Image) (r image.Rectangle) {
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// waitTitle waits for the window's title.
func waitTitle(t *testing.T, want string) {
	t.Helper()
	waitFor(t, "the title "+want, func() bool {
		return xdo(t, "search", "--name", "^framegram test", "getwindowname") == want
	})
}

// i and h lay their boxes over the picture, which is otherwise as it was, and take
// them away again. The figures follow, and are not asked for with every frame.
func TestWindowOverlay(t *testing.T) {
	d := drive(t, t.TempDir())
	plain, began := grabX(t), time.Now()
	d.key("i")
	d.becomes("figures", plain, image.Rect(0, 0, 320, 100))
	first := grabX(t)
	d.lines.Store(&[]string{"29.0 fps", "latency 99.9 ms ±0.4 ms", "lost 3 of 1200: 2 incomplete, 1 late"})
	d.becomes("new figures", first, image.Rect(0, 0, 320, 60))
	if most := int64(time.Since(began)/overlayEvery) + 1; d.asked.Load() > most {
		t.Errorf("the figures were asked for %d times, want at most %d", d.asked.Load(), most)
	}
	d.key("i")
	d.becomes("figures off", plain, image.Rectangle{})
	d.key("h")
	d.becomes("help", plain, image.Rect(160, 90, 480, 270))
	d.key("question")
	d.becomes("help off", plain, image.Rectangle{})
	d.key("Left", "Right") // highgui's codes of these end like those of Q and S
	shown := d.figures().Shown
	waitFor(t, "the show to go on after Left", func() bool { return d.figures().Shown > shown })
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) > 0 {
		t.Errorf("saved %v, %v", entries, err)
	}
}

// A frozen picture stays while frames go on and are counted, can be saved, and gives
// way to the newest at once, although no frame comes any more. Then it is said that
// none does, until one does.
func TestWindowFreezeAndNoSignal(t *testing.T) {
	d := drive(t, t.TempDir())
	d.key("space")
	waitTitle(t, "framegram test (frozen)")
	second := encode(t, quarters(640, 360, two))
	d.pictures <- second
	shown := d.figures().Shown
	waitFor(t, "frames to go on", func() bool { return d.figures().Shown > shown+3 })
	windowShows(t, 640, 360, one)
	d.key("s")
	d.saved(1, encode(t, quarters(640, 360, one)))

	d.pictures <- nil
	d.key("space")
	windowShows(t, 640, 360, two)
	d.key("s")
	d.saved(2, second)

	waitTitle(t, "framegram test (no signal)")
	waitFor(t, "the picture to be dimmed", func() bool {
		dimmed := 0
		screen := grabX(t)
		for i, p := range []image.Point{{20, 20}, {620, 20}, {20, 340}, {620, 340}} {
			want := color.RGBA{two[i].R / 3, two[i].G / 3, two[i].B / 3, 255}
			if near(color.RGBAModel.Convert(screen.At(p.X, p.Y)).(color.RGBA), want) {
				dimmed++
			}
		}
		return dimmed == 4
	})
	d.becomes("the seconds", grabX(t), image.Rect(200, 140, 440, 220))

	d.pictures <- encode(t, quarters(640, 360, one))
	windowShows(t, 640, 360, one)
	waitTitle(t, "framegram test")
}

// saved waits until n pictures are saved, and compares the last one.
func (d *driven) saved(n int, jpeg []byte) {
	d.Helper()
	waitFor(d, "the picture to be saved", func() bool { return len(d.notified()) >= n })
	files, err := filepath.Glob(filepath.Join(d.dir, "framegram-????????-??????.???*.jpg"))
	if err != nil || len(files) != n {
		d.Fatalf("got the files %v, %v, want %d", files, err, n)
	}
	path := files[n-1] // their names sort by time
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, jpeg) {
		d.Errorf("%s is not the frame that was shown: %v", path, err)
	}
	if said := d.notified(); len(said) != n || said[n-1] != "saved "+path {
		d.Errorf("said %q, want that %s is saved", said, path)
	}
}

// Whatever the window's shape, the picture keeps its own, and the rest is black.
func TestWindowKeepsAspect(t *testing.T) {
	d := drive(t, t.TempDir())
	black := color.RGBA{A: 255}
	blackAt := func(x, y int) {
		t.Helper()
		if got := color.RGBAModel.Convert(grabX(t).At(x, y)); got != black {
			t.Errorf("beside the picture, at %d,%d: got %v, want black", x, y, got)
		}
	}
	d.resize(900, 300)
	windowShows(t, 640, 360, one)
	blackAt(100, 150)
	blackAt(800, 150)
	plain := grabX(t)
	d.key("i") // stands beside the picture, too
	d.becomes("figures", plain, image.Rect(0, 0, 320, 100))
	d.key("i")
	d.becomes("figures off", plain, image.Rectangle{})
	d.pictures <- encode(t, quarters(120, 160, two)) // another shape, smaller than the window
	windowShows(t, 120, 160, two)

	// Without a window manager the window takes the screen itself.
	d.pictures <- encode(t, quarters(640, 360, one))
	for _, want := range []image.Rectangle{image.Rect(0, 0, 1024, 768), image.Rect(0, 0, 900, 300)} {
		d.key("f")
		waitFor(t, fmt.Sprintf("the window to be %v", want), func() bool { return windowBox(t) == want })
		windowShows(t, 640, 360, one)
	}
	d.key("i")
	d.becomes("figures", plain, image.Rect(0, 0, 320, 100))
	d.resize(3, 2) // they have no room there
	shown := d.figures().Shown
	waitFor(t, "the show to go on", func() bool { return d.figures().Shown > shown })
	d.key("i")
	d.resize(40, 300)
	windowShows(t, 640, 360, one)
}

func (d *driven) resize(w, h int) {
	d.Helper()
	xdo(d.T, "search", "--name", "^framegram test", "windowsize", fmt.Sprint(w), fmt.Sprint(h))
	waitFor(d, "the window's new size", func() bool { return windowBox(d.T).Size() == image.Pt(w, h) })
}

// Where no picture can be saved that is said, in the picture and in the log, once a
// second although the key is held down, and the show goes on.
func TestWindowCannotSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := drive(t, filepath.Join(file, "dir"))
	plain, began := grabX(t), time.Now()
	d.key("s", "s", "s")
	d.becomes("the reason", plain, image.Rect(0, 300, 400, 360))
	waitFor(t, "a log line", func() bool { return d.logged() != "" })
	for _, want := range []string{`level=WARN msg="the picture was not saved"`, file} {
		if !strings.Contains(d.logged(), want) {
			t.Errorf("logged %s, want %s", d.logged(), want)
		}
	}
	if lines := strings.Count(d.logged(), "\n"); lines > int(time.Since(began)/time.Second)+1 {
		t.Errorf("logged %d lines in %v", lines, time.Since(began))
	}
	d.becomes("the reason goes", plain, image.Rectangle{})
	shown := d.figures().Shown
	waitFor(t, "the show to go on", func() bool { return d.figures().Shown > shown })
	if said := d.notified(); said != nil {
		t.Errorf("said %q", said)
	}
}
