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
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/stream"
)

// startX starts an X server of 1024x768 pixels on a number that it chooses itself,
// and points DISPLAY to it.
func startX(t *testing.T) {
	t.Helper()
	xvfb := testutil.Need(t, "Xvfb")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(xvfb, "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	endWithTest(t, cmd)
	w.Close()
	var n int
	if _, err := fmt.Fscan(r, &n); err != nil { // it is written when the server is up
		t.Fatalf("Xvfb did not start: %v", err)
	}
	t.Setenv("DISPLAY", fmt.Sprintf(":%d", n))
	t.Setenv("WAYLAND_DISPLAY", "")
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
func xdo(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(testutil.Need(t, "xdotool"), args...).Output()
	return strings.TrimSpace(string(out)), err
}

// feeder is a Source of one picture, 25 times a second.
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
		f.picture = p
	case <-time.After(40 * time.Millisecond):
		if f.picture == nil {
			return f.Next(ctx)
		}
	}
	return f.next(f.picture), nil
}

func (f *feeder) Close() error { return nil }

// show opens a window and copies frames to it, from a goroutine that keeps its
// thread as the program's main one does. What Copy returned, and whether Close
// failed, is sent to ended.
func show(t *testing.T) (source *feeder, figures func() Stats, ended chan error) {
	t.Helper()
	source, ended = &feeder{pictures: make(chan []byte)}, make(chan error, 1)
	opened := make(chan Reporter)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	go func() {
		defer close(ended)
		s, err := Open(Config{Title: "framegram test"})
		if err != nil {
			ended <- err
			close(opened)
			return
		}
		opened <- s.(Reporter)
		ended <- errors.Join(stream.Copy(ctx, s, source), s.Close())
	}()
	r := <-opened
	if r == nil {
		t.Fatal(<-ended)
	}
	return source, r.Stats, ended
}

// A window on a real X server: the picture is there, in its colours; another size
// takes its place; what does not decode is left out; and each of q, Esc and closing
// the window ends the show without an error.
func TestWindow(t *testing.T) {
	startX(t)
	one, two := [4]color.RGBA{red, green, blue, grey}, [4]color.RGBA{blue, grey, green, red}
	for _, end := range []func(id string){
		func(string) { xdo(t, "key", "q") },
		func(string) { xdo(t, "key", "Escape") },
		func(id string) { xdo(t, "windowclose", id) },
	} {
		source, figures, ended := show(t)
		source.pictures <- encode(t, quarters(640, 360, one))
		windowShows(t, 640, 360, one)
		source.pictures <- encode(t, quarters(400, 300, two))
		windowShows(t, 400, 300, two)
		torn := encode(t, quarters(400, 300, one))
		source.pictures <- torn[:len(torn)/2]
		waitFor(t, "the torn picture to be counted", func() bool { return figures().Undecodable > 0 })
		windowShows(t, 400, 300, two)

		id, err := xdo(t, "search", "--name", "^framegram test$")
		if err != nil || strings.Contains(id, "\n") {
			t.Fatalf("found the windows %q, %v", id, err)
		}
		if _, err := xdo(t, "windowfocus", "--sync", id); err != nil {
			t.Fatal(err)
		}
		end(id)
		if err := <-ended; err != nil {
			t.Errorf("the show ended with %v", err)
		}
		if figures().Shown == 0 {
			t.Error("no frame is counted as shown")
		}
	}
}

var _ = []any{net.Listen, filepath.Join, runtime.GC}

// windowShows waits until the window has the picture.
func windowShows(t *testing.T, w, h int, colors [4]color.RGBA) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var r image.Rectangle
		if r, err = windowBox(t); err == nil {
			if err = shows(grabX(t), r, w, h, colors); err == nil {
				return
			}
		}
	}
	t.Fatal(err)
}

// windowBox is where the window is on the screen, without its frame.
func windowBox(t *testing.T) (r image.Rectangle, err error) {
	out, err := xdo(t, "search", "--name", "framegram test", "getwindowgeometry", "--shell")
	if err != nil {
		return r, err
	}
	v := map[string]int{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var n int
		fmt.Sscan(value, &n)
		v[name] = n
	}
	return image.Rect(v["X"], v["Y"], v["X"]+v["WIDTH"], v["Y"]+v["HEIGHT"]), nil
}
