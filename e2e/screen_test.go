//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// screen starts an X server without hardware and returns its display's name.
func screen(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := beside(testutil.Need(t, "Xvfb"), "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	r.SetReadDeadline(time.Now().Add(patience))
	number, err := bufio.NewReader(r).ReadString('\n') // written when it is ready
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// xdotool runs it on a display.
func xdotool(t *testing.T, display string, args ...string) (string, error) {
	t.Helper()
	cmd := brief(t, testutil.Need(t, "xdotool"), args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	out, err := cmd.Output()
	return string(out), err
}

// window waits for framegram's window, and returns its ID and where it is as
// ffmpeg's x11grab wants it.
func window(t *testing.T, display string) (id string, input []string) {
	t.Helper()
	size := regexp.MustCompile(`X=(-?\d+)\s+Y=(-?\d+)\s+WIDTH=(\d+)\s+HEIGHT=(\d+)`)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		out, err := xdotool(t, display, "search", "--onlyvisible", "--name", "^framegram")
		if err != nil {
			continue
		}
		id = strings.Fields(out)[0]
		geometry, err := xdotool(t, display, "getwindowgeometry", "--shell", id)
		m := size.FindStringSubmatch(geometry)
		if err != nil || m == nil {
			continue
		}
		if n, _ := strconv.Atoi(m[3]); n < 100 {
			continue
		}
		return id, []string{"-f", "x11grab", "-video_size", m[3] + "x" + m[4], "-i", fmt.Sprintf("%s+%s,%s", display, m[1], m[2]), "-frames:v", "1"}
	}
	t.Fatal("no window appeared")
	return "", nil
}

func TestWindow(t *testing.T) {
	t.Parallel()
	testutil.Need(t, "xdotool")
	clip, display := clipFrames(t), screen(t)
	viewer := startWith(t, options{env: []string{"DISPLAY=" + display}},
		append([]string{"view", "--listen", "127.0.0.1:0", "--display", "window"}, jsonStats...)...)
	send(t, viewer.listening(), "--source", clipPath(t), "--loop")
	viewer.await("picture", shown(10))
	id, grab := window(t, display)
	for i := range 3 {
		mustShow(t, fmt.Sprintf("grab %d", i), smalls(t, grab...)[0], clip)
	}
	// Its user closes it, and that is no failure.
	if _, err := xdotool(t, display, "key", "--window", id, "q"); err != nil {
		t.Fatal(err)
	}
	if f := viewer.finish(); f.View.Frames.Shown < 10 {
		t.Errorf("shown %d frames", f.View.Frames.Shown)
	}
}

// Auto takes the window where there is a display, and the page where there is none.
func TestAutoDisplay(t *testing.T) {
	t.Parallel()
	testutil.Need(t, "xdotool")
	display := screen(t)
	start(t, "demo").page()
	startWith(t, options{env: []string{"DISPLAY=" + display}}, "demo")
	window(t, display)
}
