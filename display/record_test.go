package display

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/matroska"
	"github.com/framegram/framegram/stream"
)

func openRecord(t testing.TB, path string, log *slog.Logger) *Recorder {
	t.Helper()
	r, err := Record(path, log)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shades are n JPEGs that differ.
func shades(t testing.TB, n, w, h int) (all [][]byte) {
	t.Helper()
	for i := range n {
		all = append(all, plainJPEG(t, w, h, color.Gray{byte(10 + 7*i)}))
	}
	return all
}

// capturedAt are times as a camera has them, late now and then.
func capturedAt(n int) (all []time.Time) {
	zero := time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)
	for i := range n {
		all = append(all, zero.Add(time.Duration(i)*33333*time.Microsecond+time.Duration(i%3)*217*time.Microsecond))
	}
	return all
}

// recordAll records jpegs and returns how long the file was after each.
func recordAll(t testing.TB, r *Recorder, jpegs [][]byte, at []time.Time) (sizes []uint64) {
	t.Helper()
	var fs frames
	for i, jpeg := range jpegs {
		f := fs.next(jpeg)
		f.Captured = at[i]
		if err := r.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		f.Release()
		sizes = append(sizes, r.Stats().Bytes)
	}
	return sizes
}

// run runs a command and returns what it says on both outputs.
func run(t *testing.T, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c := exec.CommandContext(t.Context(), testutil.Need(t, name), args...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &errs)
	}
	return out.String(), errs.String()
}

// decoded is how many pictures FFmpeg decodes from a file, and what it complains of.
func decoded(t *testing.T, path string) (n int, complaint string) {
	t.Helper()
	out, complaint := run(t, "ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "framemd5", "-")
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n, complaint
}

// readBack is what our own reader finds.
func readBack(t testing.TB, path string) (n int, info matroska.Info, err error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := matroska.NewReader(f, 16<<20)
	if err != nil {
		return 0, info, err
	}
	for {
		if _, _, err := r.Next(nil); err == io.EOF {
			return n, r.Info(), nil
		} else if err != nil {
			return n, r.Info(), err
		}
		n++
	}
}

// FFmpeg reads from a recording exactly what was recorded: when, how long, and every
// byte of every picture.
func TestRecordAsFFmpegReadsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clip.mkv")
	jpegs, at := shades(t, 32, 96, 64), capturedAt(32)
	r := openRecord(t, path, nil)
	r.Software = "framegram 1.2.3"
	recordAll(t, r, jpegs, at)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	last := at[31].Sub(at[0])
	if s := r.Stats(); s.Frames != 32 || s.Path != path || s.Seconds != last.Seconds() || s.Undecodable != 0 {
		t.Errorf("got %+v", s)
	}
	if i, err := os.Stat(path); err != nil || uint64(i.Size()) != r.Stats().Bytes {
		t.Errorf("%v, %+v", err, r.Stats())
	}

	out, complaint := run(t, "ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_packets", path)
	if complaint != "" {
		t.Errorf("ffprobe says %s", complaint)
	}
	var found struct {
		Packets []struct {
			Time string `json:"pts_time"`
		}
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
			Rate          string `json:"r_frame_rate"`
		}
		Format struct {
			Format   string `json:"format_name"`
			Duration string
			Tags     map[string]string
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Streams) != 1 || found.Streams[0].Codec != "mjpeg" || found.Streams[0].Width != 96 || found.Streams[0].Height != 64 {
		t.Errorf("got %+v", found.Streams)
	}
	if f := found.Format; f.Tags["creation_time"] != "2026-03-04T05:06:07.890123Z" || f.Tags["encoder"] != "framegram 1.2.3" {
		t.Errorf("got %+v", f)
	}
	step := at[31].Sub(at[30])
	if d, err := strconv.ParseFloat(found.Format.Duration, 64); err != nil || d != (last+step).Seconds() {
		t.Errorf("it takes %s s, want %v", found.Format.Duration, last+step)
	}
	if len(found.Packets) != 32 {
		t.Fatalf("got %d packets", len(found.Packets))
	}
	for i, p := range found.Packets {
		if want := fmt.Sprintf("%.6f", at[i].Sub(at[0]).Seconds()); p.Time != want {
			t.Errorf("frame %d is at %s s, want %s", i, p.Time, want)
		}
	}
	copied, _ := run(t, "ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-f", "mjpeg", "-")
	if copied != string(bytes.Join(jpegs, nil)) {
		t.Errorf("the JPEGs are not what was recorded: %d bytes, want %d", len(copied), len(bytes.Join(jpegs, nil)))
	}
	if n, complaint := decoded(t, path); n != 32 || complaint != "" {
		t.Errorf("ffmpeg decodes %d pictures, and says %q", n, complaint)
	}
	// The index works: the last second is found from the end.
	if out, _ := run(t, "ffmpeg", "-v", "error", "-ss", "1", "-i", path, "-fps_mode", "passthrough", "-f", "framemd5", "-"); strings.Count(out, "\n0,") != 1 {
		t.Errorf("after seeking to 1 s: %s", out)
	}
}

// Wherever a recording breaks off, FFmpeg and our reader find every whole frame. With
// no frame cut in two, as it is when the recorder is killed between two writes, FFmpeg
// has nothing to complain of.
func TestRecordCutOff(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole.mkv")
	r := openRecord(t, path, nil)
	sizes := recordAll(t, r, shades(t, 8, 96, 64), capturedAt(8))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if uint64(len(whole)) != sizes[7] {
		t.Fatalf("%d bytes are in the file while 8 frames are recorded, want %d", len(whole), sizes[7])
	}
	for _, frame := range []int{1, 7} {
		begin, end := sizes[frame-1], sizes[frame]
		for _, cut := range []uint64{begin, begin + 1, begin + 5, begin + 9, begin + 14, begin + 22, (begin + end) / 2, end - 1, end} {
			want := frame
			if cut == end {
				want++
			}
			name := filepath.Join(dir, "cut.mkv")
			if err := os.WriteFile(name, whole[:cut], 0o666); err != nil {
				t.Fatal(err)
			}
			between := cut == begin || cut == end
			n, complaint := decoded(t, name)
			if n != want || between && complaint != "" {
				t.Errorf("cut at %d, frame %d at %d..%d: ffmpeg decodes %d, and says %q, want %d", cut, frame, begin, end, n, complaint, want)
			}
			if n, _, err := readBack(t, name); n != want || between != (err == nil) || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at %d, frame %d at %d..%d: read back %d, %v, want %d", cut, frame, begin, end, n, err, want)
			}
		}
	}
}

func TestRecordRefuses(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.mkv")
	if err := os.WriteFile(there, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.mkv"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, tt := range map[string]struct {
		usage bool
		want  string
	}{
		"":                  {true, "ends in .mkv"},
		"clip.mp4":          {true, `"clip.mp4": recordings are Matroska files, whose name ends in .mkv`},
		"clip":              {true, "ends in .mkv"},
		dir + "/.mkv":       {true, "ends in .mkv"},
		there:               {false, "exists already and is not overwritten: choose another name"},
		dir + "/dir.mkv":    {false, "exists already"},
		dir + "/no/dir.mkv": {false, "choose a directory that exists"},
	} {
		r, err := Record(path, nil)
		if err == nil {
			r.Close()
			t.Errorf("%s: opened", path)
			continue
		}
		var ce *ConfigError
		if errors.As(err, &ce) != tt.usage || tt.usage && ce.Field != "record" || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "display: ") {
			t.Errorf("%s: got %v, want %q", path, err, tt.want)
		}
	}
	if b, err := os.ReadFile(there); string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
}

// Without a frame there is no recording, and no file in the way of the next one.
func TestRecordOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.mkv")
	r := openRecord(t, path, nil)
	var some frames
	if err := some.write(t, r, []byte("no picture")); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if s := r.Stats(); s.Frames != 0 || s.Undecodable != 1 {
		t.Errorf("got %+v", s)
	}
}

// Another size is recorded as it comes, which is said once; FFmpeg decodes it.
func TestRecordOfAnotherSize(t *testing.T) {
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "sizes.mkv")
	r := openRecord(t, path, slog.New(slog.NewTextHandler(&log, nil)))
	jpegs := append(shades(t, 2, 96, 64), shades(t, 3, 64, 48)...)
	recordAll(t, r, jpegs, capturedAt(5))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "size changed"); n != 1 || !strings.Contains(log.String(), "first_size=96x64 size=64x48") {
		t.Errorf("said %d times: %s", n, &log)
	}
	if n, complaint := decoded(t, path); n != 5 || complaint != "" {
		t.Errorf("ffmpeg decodes %d, and says %q", n, complaint)
	}
}

// A frame that was never stamped is recorded at the time it came.
func TestRecordWithoutCaptureTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unstamped.mkv")
	r := openRecord(t, path, nil)
	recordAll(t, r, shades(t, 2, 64, 48), make([]time.Time, 2))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n, info, err := readBack(t, path); n != 2 || err != nil || time.Since(info.Date).Abs() > time.Hour {
		t.Errorf("got %d, %v, %+v", n, err, info)
	}
}

// stuckFile hangs in its second write until let go.
type stuckFile struct {
	*os.File
	writes atomic.Int32
	stuck  chan struct{} // closed when it hangs
	free   chan struct{}
}

func (s *stuckFile) WriteAt(p []byte, at int64) (int, error) {
	if s.writes.Add(1) == 2 {
		close(s.stuck)
		<-s.free
	}
	return s.File.WriteAt(p, at)
}

func openStuck(t *testing.T) (*Recorder, *stuckFile) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stuck.mkv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &stuckFile{File: file, stuck: make(chan struct{}), free: make(chan struct{})}
	return newRecorder(path, s, nil), s
}

// A disk that hangs is left behind: Write leaves with its context, Close soon after,
// and the frame stays whole for whoever may still be writing it.
func TestRecordToAStuckDisk(t *testing.T) {
	r, file := openStuck(t)
	jpeg := shades(t, 1, 64, 48)[0]
	var some frames
	if err := some.write(t, r, jpeg); err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-file.stuck
		cancel(why)
	}()
	f := some.next(jpeg)
	if err := r.Write(ctx, f); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	f.Release()
	if err := some.write(t, r, jpeg); err == nil || !strings.Contains(err.Error(), "still being written") {
		t.Errorf("after that: got %v", err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("Close: got %v", err)
	}
	close(file.free)
	if err := <-r.end; err != nil {
		t.Errorf("let go: %v", err)
	}
	if n, info, err := readBack(t, file.Name()); n != 2 || err != nil || info.Duration == 0 {
		t.Errorf("got %d frames, %v, %+v, want both", n, err, info)
	}
}

// onScreen is a display that counts.
type onScreen struct{ frames atomic.Int64 }

func (c *onScreen) Write(context.Context, *stream.Frame) error { c.frames.Add(1); return nil }
func (c *onScreen) Close() error                               { return nil }

// Beside a display, a disk that hangs costs the display nothing, and the end of the
// whole little.
func TestRecordBesideAPicture(t *testing.T) {
	r, file := openStuck(t)
	defer close(file.free)
	var main onScreen
	ended := make(chan error, 2)
	sink := stream.Tee(func(_ stream.Sink, err error) { ended <- err }, &main, r)
	jpeg := shades(t, 1, 64, 48)[0]
	var some frames
	for i := range 2 { // one is recorded, and in the next one the disk hangs
		if err := some.write(t, sink, jpeg); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			waitFor(t, "the first frame", func() bool { return r.Stats().Frames == 1 })
		}
	}
	<-file.stuck
	for range 100 {
		if err := some.write(t, sink, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	if n := main.frames.Load(); n != 102 {
		t.Errorf("the display got %d of 102", n)
	}
	if err := sink.Close(); err != nil {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err == nil || len(ended) > 0 {
		t.Errorf("the recording ended with %v, and %d more", err, len(ended))
	}
}

func BenchmarkRecord(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bench.mkv")
	r := openRecord(b, path, nil)
	jpeg := plainJPEG(b, 1280, 720, color.Gray{99})
	jpeg = append(jpeg, make([]byte, 120_000-len(jpeg))...)
	var some frames
	f := some.next(jpeg)
	b.SetBytes(int64(len(jpeg)))
	b.ReportAllocs()
	for b.Loop() {
		f.Captured = f.Captured.Add(time.Second / 30)
		if err := r.Write(b.Context(), f); err != nil {
			b.Fatal(err)
		}
		if b.Elapsed() > 0 && r.Stats().Bytes > 1<<30 { // start over before the disk is full
			b.StopTimer()
			if err := errors.Join(r.Close(), os.Remove(path)); err != nil {
				b.Fatal(err)
			}
			r = openRecord(b, path, nil)
			b.StartTimer()
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}
