//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// play starts ffmpeg, playing the clip at its own pace into standard output in some
// format, and returns that output.
func play(t *testing.T, format ...string) io.Reader {
	t.Helper()
	args := append([]string{"-v", "error", "-nostdin", "-re", "-i", clipPath(t), "-an"}, format...)
	cmd := beside(testutil.Need(t, "ffmpeg"), append(args, "-")...)
	r, w, err := os.Pipe() // the reader's own: a copy in between would hide a slow one
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		r.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return r
}

func TestStandardInput(t *testing.T) {
	clip := clipFrames(t)
	for name, c := range map[string]struct{ ffmpeg, framegram []string }{
		"mjpeg": {ffmpeg: []string{"-f", "mjpeg", "-q:v", "3"}},
		"y4m":   {ffmpeg: []string{"-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p"}},
		"bgr24": {ffmpeg: []string{"-f", "rawvideo", "-pix_fmt", "bgr24"}, framegram: []string{"--format", "bgr24", "--size", "560x320"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			viewer := view(t, "--display", "images:"+dir)
			args := append([]string{"send", "--source", "-", "--to", viewer.listening()}, jsonStats...)
			sender := startWith(t, options{stdin: play(t, c.ffmpeg...)}, append(args, c.framegram...)...)
			if f := sender.finish(); f.Send.Frames.Sent < 150 { // its input ends
				t.Errorf("sent %d of 166 frames", f.Send.Frames.Sent)
			}
			viewer.interrupt()
			if f := viewer.finish(); f.View.Frames.Shown < 145 {
				t.Errorf("shown %d of 166 frames", f.View.Frames.Shown)
			}
			mustHoldClip(t, dir, clip)
		})
	}
}

// mustHoldClip fails the test unless the JPEGs in dir are the frames of the clip, in
// its order, with few missing.
func mustHoldClip(t *testing.T, dir string, clip []small) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(files) < 145 || len(files) > len(clip) {
		t.Fatalf("%d pictures of %d in the directory, %v", len(files), len(clip), err)
	}
	pictures := smalls(t, "-f", "image2", "-pattern_type", "glob", "-i", filepath.Join(dir, "*.jpg"))
	if len(pictures) != len(files) {
		t.Fatalf("%d of %d files are pictures", len(pictures), len(files))
	}
	least, missing := 99.0, len(clip)-len(pictures)
	for i, p := range pictures {
		at, db := best(p, clip[i:i+missing+1]) // whichever are missing, it is one of these
		if least = min(least, db); db < alike {
			t.Fatalf("%s is none of the frames %d..%d: most like %d, at %.1f dB", files[i], i, i+missing, i+at, db)
		}
	}
	t.Logf("%d pictures, at least %.1f dB", len(pictures), least)
}

// What view writes to a pipe, other programs read.
func TestStandardOutput(t *testing.T) {
	clip := clipFrames(t)
	for name, input := range map[string][]string{
		"mjpeg": {"-f", "mjpeg"},
		"y4m":   {"-f", "yuv4mpegpipe"},
		"bgr24": {"-f", "rawvideo", "-pix_fmt", "bgr24", "-video_size", "560x320"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := brief(t, testutil.Need(t, "ffmpeg"), append(append([]string{"-v", "error"}, input...), "-i", "-", "-frames:v", "60",
				"-vf", fmt.Sprintf("scale=%d:%d:flags=area", smallW, smallH), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")...)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			var out, complaints bytes.Buffer
			reader.Stdin, reader.Stdout, reader.Stderr = r, &out, &complaints
			if err := reader.Start(); err != nil {
				t.Fatal(err)
			}
			r.Close()
			viewer := startWith(t, options{stdout: w}, "view", "--listen", "127.0.0.1:0", "--display", "stdout", "--format", name)
			w.Close()
			send(t, viewer.listening(), "--source", clipPath(t), "--loop")
			err = reader.Wait()
			if said := complaints.String(); err != nil || said != "" && !onlyBrokenPipe(said) {
				t.Errorf("ffmpeg: %v\n%s", err, said)
			}
			// Its reader left, and that is no failure.
			if code := viewer.wait(); code != 0 {
				t.Errorf("view exited with %d", code)
			}
			pictures := cut(out.Bytes())
			if len(pictures) != 60 {
				t.Errorf("ffmpeg read %d pictures, want 60", len(pictures))
			}
			for i := 0; i < len(pictures); i += 20 {
				mustShow(t, fmt.Sprintf("picture %d", i), pictures[i], clip)
			}
		})
	}
}

func onlyBrokenPipe(s string) bool { return strings.Contains(s, "Broken pipe") }

// Other programs read the page's stream as they read a network camera.
func TestStreamIsReadByFFmpeg(t *testing.T) {
	t.Parallel()
	viewer := view(t, "--display", "web", "--web", "127.0.0.1:0")
	send(t, viewer.listening(), "--source", clipPath(t), "--loop")
	pictures := smalls(t, "-xerror", "-i", viewer.page()+"stream.mjpg", "-frames:v", "60")
	if len(pictures) != 60 {
		t.Fatalf("ffmpeg read %d pictures, want 60", len(pictures))
	}
	for i := 0; i < len(pictures); i += 20 {
		mustShow(t, fmt.Sprintf("picture %d", i), pictures[i], clipFrames(t))
	}
}
