//go:build linux

package e2e

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// The first promise of all: live video, nearly every frame shown.
// Other programs may hold the machine for a moment, so one run of three must do.
func TestDemoShowsAllFrames(t *testing.T) {
	for range 3 {
		f := start(t, "demo", "--duration", "10s", "--display", "none", "--stats", "json").finish()
		t.Logf("captured %d, sent %d, shown %d, lost %d", f.Send.Frames.Captured, f.Send.Frames.Sent, f.View.Frames.Shown, f.View.Frames.Lost)
		if f.View.Frames.Shown >= 297 {
			return
		}
	}
	t.Error("never 297 of 300 frames were shown")
}

// A build without cgo is one static file, and shows the demo on its page.
func TestPureDemo(t *testing.T) {
	t.Parallel()
	path, err := pure()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := elf.Open(path); err == nil { // on systems that have ELF
		defer f.Close()
		if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
			t.Errorf("it needs %v, %v", libraries, err)
		}
	}
	demo := startWith(t, options{binary: path, env: []string{"DISPLAY="}}, "demo", "--web", "127.0.0.1:0", "--stats", "json", "--interval", "100ms")
	demo.await("frames", shown(10))
	url := demo.page()

	if page := get(t, url); !bytes.Contains(page, []byte("<title>framegram</title>")) {
		t.Errorf("the page reads %.200s", page)
	}
	picture, err := jpeg.Decode(bytes.NewReader(get(t, url+"snapshot.jpg")))
	if err != nil || picture.Bounds().Dx() != 1280 || picture.Bounds().Dy() != 720 {
		t.Errorf("the snapshot is %v, %v", picture.Bounds(), err)
	}
	var stats struct{ Web struct{ Frames int } }
	if err := json.Unmarshal(get(t, url+"stats"), &stats); err != nil || stats.Web.Frames < 10 {
		t.Errorf("/stats has %+v, %v", stats, err)
	}

	demo.interrupt()
	demo.finish()
	code, _, said := command(t, path, "send", "--to", "127.0.0.1", "--source", clipPath(t))
	if code != 1 || !strings.Contains(said, "OpenCV") {
		t.Errorf("a video file in a build without OpenCV: exit %d, %s", code, said)
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	client := http.Client{Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return body
}

// command runs a program to its end.
func command(t *testing.T, path string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd := brief(t, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.Run() // its exit code is the result
	return cmd.ProcessState.ExitCode(), out.String(), complaints.String()
}

func TestVersionIsStamped(t *testing.T) {
	t.Parallel()
	code, out, _ := command(t, framegram, "version")
	if code != 0 || !strings.Contains(out, stamp) || !strings.Contains(out, "OpenCV 4") || !strings.Contains(out, "libjpeg-turbo") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// Ctrl-C is how a user ends a command: it is quick, no failure, and sums up.
func TestInterrupt(t *testing.T) {
	for name, args := range map[string][]string{
		"send":               {"send", "--to", "127.0.0.1:9"},
		"view":               {"view", "--listen", "127.0.0.1:0", "--display", "none"},
		"view, page":         {"view", "--listen", "127.0.0.1:0", "--display", "web", "--web", "127.0.0.1:0"},
		"demo":               {"demo", "--display", "none"},
		"demo, page":         {"demo", "--web", "127.0.0.1:0"},
		"send, silent stdin": {"send", "--to", "127.0.0.1:9", "--source", "-", "--format", "mjpeg"},
		"send, file":         {"send", "--to", "127.0.0.1:9", "--source", clipPath(t), "--loop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdin, w, err := os.Pipe() // in which nothing ever comes
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			defer w.Close()
			p := startWith(t, options{stdin: stdin, stdout: io.Discard}, args...)
			p.heard(`(waiting for frames|sending .* to)`)
			time.Sleep(500 * time.Millisecond)
			heard := len(p.said())
			began := time.Now()
			p.interrupt()
			p.wait()
			if d := time.Since(began); d > time.Second {
				t.Errorf("ended %v after Ctrl-C, want a second at most", d)
			}
			if code := p.wait(); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
			if summary := p.said()[heard:]; !strings.Contains(summary, "frame") {
				t.Errorf("no summary, but %q", summary)
			}
		})
	}
}
