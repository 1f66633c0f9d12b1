package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/matroska"
	"github.com/framegram/framegram/stream"
)

// writeRecording writes JPEGs that are interval apart.
func writeRecording(t testing.TB, interval time.Duration, whole bool, jpegs ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.mkv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := matroska.NewWriter(f, matroska.Header{Width: 64, Height: 48, Date: time.Now(), Software: "test"})
	for i, jpeg := range jpegs {
		if err := w.Write(time.Duration(i)*interval, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	if whole {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// wantPlayed checks that got are the pictures of want, over and over, by their number,
// and that only those are missing for which this machine was too slow.
func wantPlayed(t *testing.T, s stream.Source, got []shot, want [][]byte) {
	t.Helper()
	for _, g := range got {
		if !bytes.Equal(g.jpeg, want[int(g.id)%len(want)]) {
			t.Errorf("picture %d is not what was recorded", g.id)
		}
	}
	if late := int(stats(s).Late); len(got) == 0 || int(got[len(got)-1].id) >= len(got)+late {
		t.Errorf("got %s, and %d were late", ids(got), late)
	}
}

// What was recorded comes back untouched, on its own schedule, from a file that was
// closed and from one whose writer was killed.
func TestRecordingIsPlayed(t *testing.T) {
	jpegs := greys(t, 6, 64, 48)
	for _, closed := range []bool{true, false} {
		s := mustOpen(t, Config{Source: writeRecording(t, 40*time.Millisecond, closed, jpegs...)})
		i := info(s)
		if i.Name != "recording.mkv" || i.Live || i.Size != image.Pt(64, 48) || i.FPS < 24.99 || i.FPS > 25.01 {
			t.Errorf("got %+v", i)
		}
		began := time.Now()
		got, err := takeAll(t, s)
		if err != nil {
			t.Errorf("closed=%v: %v", closed, err)
		}
		wantPlayed(t, s, got, jpegs)
		if n := len(got) + int(stats(s).Late); n != 6 {
			t.Errorf("got %d of 6 pictures", n)
		}
		if took := time.Since(began); took < 195*time.Millisecond {
			t.Errorf("5 intervals of 40 ms were played in %v", took)
		}
	}
}

// The schedule is that of the times in the file, not of its rate.
func TestRecordingKeepsGaps(t *testing.T) {
	jpegs := greys(t, 4, 64, 48)
	path := filepath.Join(t.TempDir(), "gaps.mkv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := matroska.NewWriter(f, matroska.Header{Width: 64, Height: 48})
	at := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 700 * time.Millisecond}
	for i := range at {
		if err := w.Write(at[i], jpegs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, Config{Source: path})
	got, err := takeAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	wantPlayed(t, s, got, jpegs)
	for _, g := range got {
		if after := g.captured.Sub(got[0].captured); after < at[g.id]-10*time.Millisecond {
			t.Errorf("picture %d came after %v, want %v", g.id, after, at[g.id])
		}
	}
}

func TestRecordingLoops(t *testing.T) {
	jpegs := greys(t, 3, 64, 48)
	s := mustOpen(t, Config{Source: writeRecording(t, 20*time.Millisecond, true, jpegs...), Loop: true})
	wantPlayed(t, s, take(t, s, 7), jpegs)
}

// FPS leaves pictures out, Size and Quality encode again.
func TestRecordingIsChanged(t *testing.T) {
	var jpegs [][]byte
	for range 10 {
		jpegs = append(jpegs, greys(t, 1, 64, 48)...)
	}
	path := writeRecording(t, 20*time.Millisecond, true, jpegs...)

	s := mustOpen(t, Config{Source: path, FPS: 25})
	got, err := takeAll(t, s)
	if err != nil || len(got)+int(stats(s).Late) != 5 || stats(s).Thinned != 5 || info(s).FPS != 25 {
		t.Errorf("got %d pictures, %v, %+v, want 5 of 10", len(got), err, stats(s))
	}
	s = mustOpen(t, Config{Source: path, Size: image.Pt(32, 24)})
	if f := take(t, s, 1)[0]; f.size != image.Pt(32, 24) {
		t.Errorf("got %v, want 32x24", f.size)
	}
	s = mustOpen(t, Config{Source: path, Quality: 20})
	if f := take(t, s, 1)[0]; len(f.jpeg) == 0 || bytes.Equal(f.jpeg, jpegs[0]) {
		t.Error("the quality was not changed")
	}
}

// A file that is cut off gives every whole picture, then an error; looped, it goes on.
func TestRecordingCutOff(t *testing.T) {
	jpegs := greys(t, 3, 64, 48)
	whole, err := os.ReadFile(writeRecording(t, time.Millisecond, true, jpegs...))
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.Index(whole, jpegs[2]) + len(jpegs[2])
	for cut, want := range map[int]int{end - 1: 2, end: 3, len(whole) - 1: 3} {
		path := writeFile(t, t.TempDir(), "cut.mkv", whole[:cut])
		got, err := takeAll(t, mustOpen(t, Config{Source: path}))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), path+" ended after") {
			t.Errorf("cut at %d of %d: got %v", cut, len(whole), err)
		}
		if len(got) > want || len(got) == 0 {
			t.Errorf("cut at %d: %d pictures, want %d", cut, len(got), want)
		}
	}
	var log logBuffer
	path := writeFile(t, t.TempDir(), "cut.mkv", whole[:end-1])
	take(t, mustOpen(t, Config{Source: path, Loop: true, Log: log.log()}), 5)
	if n := strings.Count(log.String(), "recording is incomplete"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

// Pictures that cannot be used are left out and counted.
func TestRecordingDamagedPictures(t *testing.T) {
	jpegs := greys(t, 2, 64, 48)
	path := writeRecording(t, 20*time.Millisecond, true, jpegs[0], []byte("no picture"), bytes.Repeat([]byte("large"), 10000), jpegs[1])
	s := mustOpen(t, Config{Source: path, MaxFrame: 20000})
	got, err := takeAll(t, s)
	if err != nil {
		t.Error(err)
	}
	wantPlayed(t, s, got, jpegs)
	if st := stats(s); st.Damaged != 2 || st.Pictures != 4 {
		t.Errorf("got %+v, want 2 damaged", st)
	}
	s = mustOpen(t, Config{Source: writeRecording(t, time.Second, true, []byte("x"), []byte("y")), Loop: true})
	if _, err := takeAll(t, s); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "no picture that can be decoded") {
		t.Errorf("nothing but rubbish, looped: got %v", err)
	}
}

func TestRecordingLeavesWithContext(t *testing.T) {
	s := mustOpen(t, Config{Source: writeRecording(t, 30*time.Second, true, greys(t, 3, 64, 48)...)})
	take(t, s, 1)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if _, err := s.Next(ctx); err != why {
		t.Errorf("got %v, want %v", err, why)
	}
}

// What cannot be played as a recording says why, whatever this build has.
func TestRecordingRefused(t *testing.T) {
	dir := t.TempDir()
	empty, err := os.ReadFile(writeRecording(t, time.Second, true, greys(t, 1, 64, 48)...))
	if err != nil {
		t.Fatal(err)
	}
	head := bytes.Index(empty, []byte("\x1F\x43\xB6\x75"))
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"empty.mkv":  {nil, "empty.mkv is empty"},
		"text.mkv":   {[]byte("this is no video"), "named .mkv but does not begin as Matroska does"},
		"short.mkv":  {[]byte("\x1A\x45\xDF"), "named .mkv but does not begin as Matroska does"},
		"magic.mkv":  {[]byte("\x1A\x45\xDF\xA3"), "cannot be played as a recording"},
		"start.mkv":  {empty[:60], "cannot be played as a recording"},
		"frames.mkv": {empty[:head], "frames.mkv holds no picture"},
		"first.mkv":  {empty[:head+100], "first.mkv holds no picture"},
	} {
		s, err := Open(t.Context(), Config{Source: writeFile(t, dir, name, tt.data)})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "capture: ") {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// ffmpegFile makes a Matroska file of 10 pictures, 25 a second.
func ffmpegFile(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=0.4"}, append(args, path)...)
	if out, err := exec.CommandContext(t.Context(), testutil.Need(t, "ffmpeg"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	return path
}

// Files of other programs, with sound beside the pictures, and written as a live
// stream is, are played too.
func TestRecordingByFFmpeg(t *testing.T) {
	for name, args := range map[string][]string{
		"plain":          {"-c:v", "mjpeg"},
		"live":           {"-c:v", "mjpeg", "-live", "1", "-f", "matroska"},
		"with sound":     {"-f", "lavfi", "-i", "sine=duration=0.4", "-c:a", "pcm_s16le", "-c:v", "mjpeg"},
		"small clusters": {"-c:v", "mjpeg", "-cluster_time_limit", "50"},
	} {
		t.Run(name, func(t *testing.T) {
			path := ffmpegFile(t, "ffmpeg.mkv", args...)
			s := mustOpen(t, Config{Source: path})
			got, err := takeAll(t, s)
			if late := int(stats(s).Late); err != nil || len(got)+late != 10 || info(s).FPS != 25 {
				t.Errorf("got %d pictures, %d late, %v, %+v", len(got), late, err, info(s))
			}
			if ids := ids(got); stats(s).Late == 0 && ids != "[0 1 2 3 4 5 6 7 8 9]" {
				t.Errorf("got %s", ids)
			}
		})
	}
}

// A file that OpenCV must open still is: without it the message names the codec.
func TestRecordingOfAnotherCodec(t *testing.T) {
	path := ffmpegFile(t, "other.mkv", "-c:v", "mpeg4")
	s, err := Open(t.Context(), Config{Source: path})
	if errors.Is(err, ErrNoOpenCV) {
		if want := fmt.Sprintf("%s holds V_MPEG4/ISO/ASP, which needs OpenCV", path); !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := take(t, s, 3); got[2].size != image.Pt(64, 48) {
		t.Errorf("got %v", got[2].size)
	}
}

// sparseRecording writes a file of what is cheap to write: parts at their places.
func sparseRecording(t *testing.T, parts map[int64][]byte) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse.mkv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, part := range parts {
		if _, err := f.WriteAt(part, at); err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}

// void is the start of an element Void that makes n bytes altogether.
func void(n int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0xEC}, 1<<56|uint64(n-9))
}

// split cuts a recording before its first Cluster and behind its first frame.
func split(t *testing.T, jpegs [][]byte) (head, first, rest []byte) {
	t.Helper()
	whole, err := os.ReadFile(writeRecording(t, 20*time.Millisecond, false, jpegs...))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ = bytes.Cut(whole, []byte("\x1F\x43\xB6\x75"))
	end := bytes.Index(whole, jpegs[0]) + len(jpegs[0])
	return head, whole[len(head):end], whole[end:]
}

// A terabyte of nothing, before the first picture or behind it, is passed over.
func TestRecordingWithAVoid(t *testing.T) {
	jpegs := greys(t, 4, 64, 48)
	head, first, rest := split(t, jpegs)
	const size = 1 << 40
	for name, parts := range map[string][][]byte{"first": {nil, slices.Concat(first, rest)}, "then": {first, rest}} {
		lead := slices.Concat(head, parts[0])
		path := sparseRecording(t, map[int64][]byte{
			0: slices.Concat(lead, void(size)), int64(len(lead)) + size: parts[1],
		})
		s := mustOpen(t, Config{Source: path})
		got, err := takeAll(t, s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantPlayed(t, s, got, jpegs)
	}
}

// What stands before the first picture is not read for ever, and what stands behind it
// does not keep the rest from being played.
func TestRecordingOpensOrNot(t *testing.T) {
	jpegs := greys(t, 4, 64, 48)
	head, first, rest := split(t, jpegs)
	const n, size = maxOpening>>20 + 10, 1 << 20
	for _, before := range []bool{true, false} {
		lead := head
		if !before {
			lead = slices.Concat(head, first)
		}
		parts := map[int64][]byte{0: lead}
		at := int64(len(lead))
		for range n {
			parts[at] = void(size)
			at += size
		}
		parts[at] = rest
		path := sparseRecording(t, parts)
		s, err := Open(t.Context(), Config{Source: path})
		if before {
			if err == nil || !strings.Contains(err.Error(), "256 MiB were read without one") || strings.Count(err.Error(), "capture: ") != 1 {
				t.Errorf("got %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		take(t, s, 1)
		s.Close()
	}
}

// Neither the opening nor what Close leaves behind reads on.
func TestRecordingStopsReading(t *testing.T) {
	path := writeRecording(t, 10*time.Millisecond, true, slices.Repeat([][]byte{encode(t, noisy(400, 300), 100)}, 50)...)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	cfg, _ := Config{}.withDefaults()
	s, told, err := openRecording(ctx, cfg, path)
	if s != nil || !errors.Is(err, why) && !errors.Is(told, why) {
		t.Errorf("got %v, %v, %v, want %v", s, told, err, why)
	}
	if s, err := openVideo(ctx, cfg, path); s != nil || !errors.Is(err, why) {
		t.Errorf("got %v, %v, want %v", s, err, why)
	}
	s, _, err = openRecording(t.Context(), cfg, path)
	if err != nil {
		t.Fatal(err)
	}
	interrupted := s.(*jpegs).interrupt
	interrupted()
	if _, err := takeAll(t, s); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v", err)
	}
	s.Close()
}

// What a file says of itself is shown in a form that does a terminal no harm.
func TestRecordingOfAHostileName(t *testing.T) {
	jpeg := greys(t, 1, 64, 48)[0]
	whole, err := os.ReadFile(writeRecording(t, time.Second, true, jpeg))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"plain name.mkv":                    "plain name.mkv",
		"a\x1b[31m\nb.mkv":                  `"a\x1b[31m\nb.mkv"`,
		strings.Repeat("long", 60) + ".mkv": strings.Repeat("long", 15) + "l...",
	} {
		path := writeFile(t, t.TempDir(), name, whole)
		if got := info(mustOpen(t, Config{Source: path})).Name; got != want {
			t.Errorf("%q calls itself %s, want %s", name, got, want)
		}
	}
	codec := bytes.Replace(whole, []byte("V_MJPEG"), []byte("V_\x1b[31m"), 1)
	path := writeFile(t, t.TempDir(), "a\x1b[31m\nb.mkv", codec)
	s, err := Open(t.Context(), Config{Source: path})
	if err == nil { // OpenCV takes it
		s.Close()
		return
	}
	if text := err.Error(); strings.ContainsAny(text, "\x1b\n") || !strings.Contains(text, `holds "V_\x1b[31m", which needs OpenCV`) || strings.Count(text, "capture: ") != 1 {
		t.Errorf("got %q", text)
	}
}
