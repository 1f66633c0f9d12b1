package display

import (
	"errors"
	"image/color"
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test binary play the whole program: see TestStdoutReaderLeaves.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(m.Run())
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string // in the error; "" = none
	}{
		{Config{}, ""},
		{Config{Kind: "window"}, ""},
		{Config{Kind: "images:some/dir"}, ""},
		{Config{Kind: "stdout", Format: "y4m", FPS: 29.97}, ""},
		{Config{Kind: "web", WebAddr: "[::1]:0"}, ""},
		{Config{Kind: "sdl"}, `display is "sdl", want auto, window, web, stdout, images:DIR or none`},
		{Config{Kind: "images"}, `display is "images"`},
		{Config{Kind: "images:"}, "say which directory"},
		{Config{Kind: "Web"}, "display is"},
		{Config{Format: "h264"}, `format is "h264", want mjpeg, y4m or bgr24`},
		{Config{FPS: -1}, "fps is -1"},
		{Config{FPS: 1001}, "fps is 1001"},
		{Config{FPS: math.NaN()}, "fps is NaN"},
		{Config{WebAddr: "localhost:web"}, "web is"},
		{Config{WebAddr: "localhost:70000"}, "web is"},
	} {
		err := tt.cfg.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: got %v, want %q", tt.cfg, err, tt.want)
		}
		if tt.want != "" {
			if s, err := Open(tt.cfg); err == nil {
				s.Close()
				t.Errorf("%+v: opened all the same", tt.cfg)
			}
		}
	}
}

func TestNone(t *testing.T) {
	s, err := Open(Config{Kind: "none"})
	if err != nil {
		t.Fatal(err)
	}
	var fs frames
	if err := errors.Join(fs.write(t, s, []byte("not even a JPEG")), s.Close()); err != nil {
		t.Error(err)
	}
}

// Without a display, auto is the page, and its address is said.
func TestAutoWithoutDisplay(t *testing.T) {
	withoutDisplay(t)
	var said []string
	s, err := Open(Config{Notify: func(line string) { said = append(said, line) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(said) != 1 || !strings.Contains(said[0], "watch at http://127.0.0.1:") {
		t.Fatalf("said %q, want one line with the page's address", said)
	}
	_, url, _ := strings.Cut(said[0], "watch at ")
	if got := s.(interface{ URL() string }).URL(); got != url {
		t.Errorf("URL is %q, %q was said", got, url)
	}
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(b), "<canvas") {
		t.Errorf("got %s %q, %v", r.Status, b, err)
	}
}

// A window that cannot be had is an error that names the way out, not a crash.
func TestWindowWithoutDisplay(t *testing.T) {
	for _, display := range []string{"", ":4095", "nonsense", "127.0.0.1:4094"} {
		withoutDisplay(t)
		t.Setenv("DISPLAY", display)
		s, err := Open(Config{Kind: "window"})
		if err == nil {
			s.Close()
			t.Fatalf("DISPLAY=%q: opened", display)
		}
		if !strings.Contains(err.Error(), "--display web") {
			t.Errorf("DISPLAY=%q: %v: does not say what to do", display, err)
		}
	}
}

func withoutDisplay(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
}

// Every display that counts says so.
func TestReporters(t *testing.T) {
	for _, kind := range []string{"web", "stdout", "images:" + t.TempDir()} {
		s, err := Open(Config{Kind: kind, Stdout: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		var fs frames
		if err := fs.write(t, s, plainJPEG(t, 16, 16, color.Black)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if got := s.(Reporter).Stats(); got != (Stats{Shown: 1}) {
			t.Errorf("%s: got %+v, want one frame shown", kind, got)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
