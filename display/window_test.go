//go:build cgo && !nocv && linux

package display

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/stream"
)

// startX starts an X server of 1024x768 pixels on a number that it chooses itself,
// for the life of the test, and points DISPLAY to it.
func startX(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd, up := xvfb(t, args...)
	endWithTest(t, cmd)
	t.Setenv("DISPLAY", up())
	t.Setenv("WAYLAND_DISPLAY", "")
	return cmd
}

// useX points DISPLAY to the X server that all windows of this process stand on:
// highgui's toolkit connects once.
func useX(t *testing.T) {
	t.Helper()
	onlyX.Do(func() {
		cmd, up := xvfb(t)
		ownGroup(cmd) // and ends with this process:
		started := make(chan error)
		go func() { // rather with the thread that starts it (prctl(2)), of which tests end some
			runtime.LockOSThread()
			started <- cmd.Start()
			select {}
		}()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		onlyDisplay = up()
	})
	if onlyDisplay == "" {
		t.Fatal("Xvfb did not start")
	}
	t.Setenv("DISPLAY", onlyDisplay)
	t.Setenv("WAYLAND_DISPLAY", "")
}

var (
	onlyX       sync.Once
	onlyDisplay string
)

// xvfb is an X server to be started; up, called then, waits until it is up and returns
// its name.
func xvfb(t *testing.T, args ...string) (cmd *exec.Cmd, up func() string) {
	t.Helper()
	path := testutil.Need(t, "Xvfb")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(path, append(args, "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset")...)
	cmd.ExtraFiles = []*os.File{w}
	return cmd, func() string {
		t.Helper()
		defer r.Close()
		w.Close()
		var n int
		if _, err := fmt.Fscan(r, &n); err != nil {
			t.Fatalf("Xvfb did not start: %v", err)
		}
		return fmt.Sprintf(":%d", n)
	}
}

// grabX returns what is on the screen.
func grabX(t *testing.T) image.Image {
	t.Helper()
	cmd := exec.Command(testutil.Need(t, "ffmpeg"), "-loglevel", "error", "-f", "x11grab", "-video_size", "1024x768", "-draw_mouse", "0",
		"-i", os.Getenv("DISPLAY"), "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v %s", err, said.Bytes())
	}
	m, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// xdo runs xdotool and returns what it says.
func xdo(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(testutil.Need(t, "xdotool"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("xdotool %v: %v %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// feeder is a Source of one picture, 25 times a second; of nothing while that is nil.
type feeder struct {
	frames
	pictures chan []byte // the next picture
	picture  []byte
}

func (f *feeder) Next(ctx context.Context) (*stream.Frame, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case p, ok := <-f.pictures:
		if !ok {
			return nil, io.EOF
		}
		if f.picture = p; p == nil {
			return f.Next(ctx)
		}
	case <-time.After(40 * time.Millisecond):
		if f.picture == nil {
			return f.Next(ctx)
		}
	}
	return f.next(f.picture), nil
}

func (f *feeder) Close() error { return nil }

// onGUIThread runs f on the one thread that highgui may be used from, for the life of
// the process.
var onGUIThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// show opens the window that auto gives and copies frames to it. What Copy and Close
// returned is sent to ended.
func show(t *testing.T, cfg Config) (source *feeder, figures func() Stats, ended chan error) {
	t.Helper()
	source, ended = &feeder{pictures: make(chan []byte)}, make(chan error, 1)
	opened := make(chan Reporter, 1)
	ctx, cancel := context.WithCancel(context.Background())
	onGUIThread() <- func() {
		defer close(ended)
		defer close(opened)
		cfg.Title = "framegram test"
		s, err := Open(cfg)
		if err != nil {
			ended <- err
			return
		}
		opened <- s.(Reporter)
		ended <- errors.Join(stream.Copy(ctx, s, source), s.Close())
	}
	t.Cleanup(func() {
		cancel()
		for range ended {
		}
	})
	r := <-opened
	if r == nil {
		t.Fatal(<-ended)
	}
	xdotool := testutil.Need(t, "xdotool")
	waitFor(t, "the window to be on the screen", func() bool {
		return exec.Command(xdotool, "search", "--onlyvisible", "--name", "^framegram test").Run() == nil
	})
	return source, r.Stats, ended
}

// A window on a real X server: the picture is there, in its colours; another size
// takes its place; what does not decode is left out; and each of q, Esc and closing
// the window ends the show without an error, also while the picture is frozen.
func TestWindow(t *testing.T) {
	useX(t)
	for _, end := range []func(window uint32){
		func(uint32) { xdo(t, "key", "q") },
		func(uint32) { xdo(t, "key", "space", "key", "Escape") },
		func(window uint32) {
			xdo(t, "key", "space")
			waitTitle(t, "framegram test (frozen)")
			closeWindow(t, window)
		},
	} {
		source, figures, ended := show(t, Config{})
		source.pictures <- encode(t, quarters(640, 360, one))
		windowShows(t, 640, 360, one)
		source.pictures <- encode(t, quarters(400, 300, two))
		windowShows(t, 400, 300, two)
		torn := encode(t, quarters(400, 300, one))
		source.pictures <- torn[:len(torn)/2]
		waitFor(t, "the torn picture to be counted", func() bool { return figures().Undecodable > 0 })
		windowShows(t, 400, 300, two)
		xdo(t, "search", "--name", "^framegram test", "windowfocus", "--sync")
		for _, title := range []string{"framegram test (frozen)", "framegram test"} { // painting it anew is not showing the torn one
			xdo(t, "key", "space")
			waitTitle(t, title)
			windowShows(t, 400, 300, two)
		}

		id := xdo(t, "search", "--name", "^framegram test$")
		window, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			t.Fatalf("found the windows %q", id)
		}
		xdo(t, "windowfocus", "--sync", id)
		end(uint32(window))
		if err := <-ended; err != nil {
			t.Errorf("the show ended with %v", err)
		}
		if figures().Shown == 0 {
			t.Error("no frame is counted as shown")
		}
	}
}

// A display that answers and wants credentials we have not is known before highgui's
// toolkit ends the program over it.
func TestDisplayRefuses(t *testing.T) {
	// One entry of an authority file (Xau(3)): for any address (family 65535) and any
	// display, a cookie.
	const name, cookie = "MIT-MAGIC-COOKIE-1", "0123456789abcdef"
	entry := "\xff\xff\x00\x00\x00\x00\x00" + string(rune(len(name))) + name + "\x00" + string(rune(len(cookie))) + cookie
	file := filepath.Join(t.TempDir(), "authority")
	if err := os.WriteFile(file, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	startX(t, "-auth", file)

	t.Setenv("XAUTHORITY", os.DevNull)
	if why := windowMissing(true); !strings.Contains(why, "does not let us in") {
		t.Errorf("without the cookie: got %q", why)
	}
	t.Setenv("XAUTHORITY", file)
	if why := windowMissing(true); why != "" {
		t.Errorf("with the cookie: got %q", why)
	}
}

// Where DISPLAY and WAYLAND_DISPLAY point to is asked, in all their forms.
func TestDisplayAnswers(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "wayland-7"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	withoutDisplay(t)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for name, want := range map[string]bool{"wayland-7": true, l.Addr().String(): true, "wayland-8": false} {
		if got := waylandAnswers(name); got != want {
			t.Errorf("WAYLAND_DISPLAY=%s: got %v", name, got)
		}
		t.Setenv("WAYLAND_DISPLAY", name)
		if got := windowMissing(true) == ""; got != want {
			t.Errorf("WAYLAND_DISPLAY=%s, asked for a window: got %v", name, got)
		}
		if windowMissing(false) == "" {
			t.Errorf("WAYLAND_DISPLAY=%s: a window is not safe, yet chosen by itself", name)
		}
	}

	startX(t)
	n := strings.TrimPrefix(os.Getenv("DISPLAY"), ":")
	for name, want := range map[string]bool{
		":" + n: true, ":" + n + ".0": true, "unix:" + n: true, "host/unix:" + n: true,
		"localhost:" + n: false, "[::1]:" + n: false, ":9" + n + "77": false, n: false, ":": false, ":x": false, "": false,
	} { // the server does not listen on TCP
		if got := x11Answers(name); got != want {
			t.Errorf("DISPLAY=%s: got %v", name, got)
		}
	}
}

func TestX11OverTCP(t *testing.T) {
	var l net.Listener
	n := 4000
	for ; l == nil; n++ {
		l, _ = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 6000+n))
	}
	defer l.Close()
	for _, name := range []string{"127.0.0.1:%d", "127.0.0.1:%d.0", "tcp/127.0.0.1:%d"} {
		if name = fmt.Sprintf(name, n-1); !x11Answers(name) {
			t.Errorf("DISPLAY=%s does not answer", name)
		}
	}
}

func TestFit(t *testing.T) {
	for size, want := range map[image.Point]image.Point{
		{640, 360}: {640, 360}, {1280, 720}: {1280, 720}, {1920, 1080}: {1280, 720}, {1080, 1920}: {405, 720},
		{4000, 500}: {1280, 160}, {60000, 1}: {1280, 1}, {1, 60000}: {1, 720},
	} {
		if got := fit(size, maxWindow); got != want {
			t.Errorf("%v: got %v, want %v", size, got, want)
		}
	}
}

// windowShows waits until the window has the picture.
func windowShows(t *testing.T, w, h int, colors [4]color.RGBA) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = shows(grabX(t), windowBox(t), w, h, colors); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// windowBox is where the window is on the screen, without its frame.
func windowBox(t *testing.T) image.Rectangle {
	t.Helper()
	v := map[string]int{}
	for line := range strings.Lines(xdo(t, "search", "--name", "^framegram test", "getwindowgeometry", "--shell")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("xdotool says %q", line)
		}
		v[name] = n
	}
	return image.Rect(v["X"], v["Y"], v["X"]+v["WIDTH"], v["Y"]+v["HEIGHT"])
}
