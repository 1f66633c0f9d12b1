//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// probe is what ffprobe says of a file.
type probe struct {
	Streams []struct {
		Codec  string `json:"codec_name"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Frames string `json:"nb_read_packets"`
	} `json:"streams"`
	Format struct {
		Name     string `json:"format_name"`
		Duration string `json:"duration"`
	} `json:"format"`
}

// ffprobe looks at a file. A complaint fails the test, but for the one about a file
// that ends within a frame: kill -9 can cut a write short.
func ffprobe(t *testing.T, path string) (p probe, frames int) {
	t.Helper()
	cmd := brief(t, testutil.Need(t, "ffprobe"), "-v", "error", "-count_packets", "-show_streams", "-show_format", "-of", "json", path)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if complaints := cutShort.ReplaceAllString(said.String(), ""); err != nil || complaints != "" {
		t.Fatalf("ffprobe: %v: %s", err, complaints)
	}
	if err := json.Unmarshal(out, &p); err != nil || len(p.Streams) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	frames, err = strconv.Atoi(p.Streams[0].Frames)
	if err != nil {
		t.Fatal(err)
	}
	return p, frames
}

var cutShort = regexp.MustCompile(`(?m)^.*File ended prematurely.*\n`)

// Both ends record while the picture goes on; the files are what was sent, and can be
// sent again, by a build without OpenCV, too.
func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	clip, dir := clipFrames(t), t.TempDir()
	here, there := filepath.Join(dir, "here.mkv"), filepath.Join(dir, "there.mkv")
	viewer := view(t, "--display", "none", "--record", there)
	sent := send(t, viewer.listening(), "--source", clipPath(t), "--record", here).finish()
	viewer.await("end of the clip", shown(150))
	viewer.interrupt()
	seen := viewer.finish()
	for path, counted := range map[string]uint64{here: sent.Record.Frames, there: seen.Record.Frames} {
		p, frames := ffprobe(t, path)
		s := p.Streams[0]
		if s.Codec != "mjpeg" || s.Width != 560 || s.Height != 320 || !strings.Contains(p.Format.Name, "matroska") {
			t.Errorf("%s is %+v", path, p)
		}
		if uint64(frames) != counted || frames < 150 {
			t.Errorf("%s has %d frames, %d were counted", path, frames, counted)
		}
		if d, err := strconv.ParseFloat(p.Format.Duration, 64); err != nil || d < 5 || d > 7 {
			t.Errorf("%s lasts %s s, the clip 5.5", path, p.Format.Duration)
		}
		pictures := smalls(t, "-i", path)
		if len(pictures) != frames {
			t.Errorf("ffmpeg decodes %d pictures of the %d in %s", len(pictures), frames, path)
		}
		mustShow(t, filepath.Base(path), pictures[len(pictures)/2], clip)
	}

	path, err := pure()
	if err != nil {
		t.Fatal(err)
	}
	copies := filepath.Join(dir, "copies")
	again := view(t, "--display", "images:"+copies)
	startWith(t, options{binary: path}, "send", "--to", again.listening(), "--source", there, "--stats", "json").finish()
	again.await("the replay", shown(100))
	again.interrupt()
	again.finish()
	// Untouched: every JPEG that came out is in the recording, byte for byte.
	recording, err := os.ReadFile(there)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(copies, "*.jpg"))
	for _, f := range files[:20] {
		jpeg, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(recording), string(jpeg)) {
			t.Fatalf("%s is not in the recording, %v", f, err)
		}
	}
}

// What kill -9 leaves behind plays to its last whole frame, without a complaint.
func TestRecordingSurvivesKill(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		path := filepath.Join(t.TempDir(), "killed.mkv")
		demo := start(t, append([]string{"demo", "--display", "none", "--record", path}, jsonStats...)...)
		f := demo.await("frames in the file", func(f figures) bool { return f.Record.Frames > uint64(20+13*round) })
		demo.kill()
		_, frames := ffprobe(t, path)
		if uint64(frames) < f.Record.Frames {
			t.Errorf("%d frames were written and ffprobe finds %d", f.Record.Frames, frames)
		}
		if decoded := smalls(t, "-i", path); len(decoded) != frames {
			t.Errorf("ffmpeg decodes %d of %d frames", len(decoded), frames)
		}
		viewer := view(t, "--display", "none")
		sender := start(t, "send", "--to", viewer.listening(), "--source", path)
		sender.heard(`sent \d+ frames`)
		viewer.await("the replay", shown(uint64(frames/2)))
		t.Logf("killed after %d frames, %d in the file: %s", f.Record.Frames, frames, strings.TrimSpace(sender.said()))
	}
}

// A disk that fills ends the recording, with one message, and not the picture.
func TestFullDisk(t *testing.T) {
	testutil.NeedRoot(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		testutil.Skip(t, "needs a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	path := filepath.Join(dir, "full.mkv")
	viewer := view(t, "--display", "none", "--record", path)
	send(t, viewer.listening())
	viewer.heard(`recording ended: .*no space left on device.*the picture goes on`)
	at := viewer.latest().View.Frames.Shown
	viewer.await("picture that goes on", shown(at+60))
	viewer.interrupt()
	f := viewer.finish()
	if n := strings.Count(viewer.said(), "no space left"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	_, frames := ffprobe(t, path)
	if uint64(frames) != f.Record.Frames || frames < 5 {
		t.Errorf("%d frames are in the file, %d were counted", frames, f.Record.Frames)
	}
	if decoded := smalls(t, "-i", path); len(decoded) != frames {
		t.Errorf("ffmpeg decodes %d of %d frames", len(decoded), frames)
	}
}

// A recording is never overwritten, and wrong names are told before anything starts.
func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken.mkv")
	if err := os.WriteFile(taken, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		taken:                             "taken.mkv",
		filepath.Join(dir, "film.avi"):    ".mkv",
		filepath.Join(dir, "no", "a.mkv"): "no such file or directory",
	} {
		code, _, said := command(t, framegram, "demo", "--display", "none", "--record", path, "--frames", "1")
		if code == 0 || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d, %s", path, code, said)
		}
	}
	if b, err := os.ReadFile(taken); err != nil || string(b) != "precious" {
		t.Errorf("it was overwritten: %q, %v", b, err)
	}
}
