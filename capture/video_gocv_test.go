//go:build cgo && !nocv

package capture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/timecode"
)

// greyAVI writes n pictures of rising luma at 25 a second, 320x240.
func greyAVI(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "grey.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", 25, 320, 240, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range n {
		v := float64(20 + 2*i)
		m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(v, v, v, 0), 240, 320, gocv.MatTypeCV8UC3)
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
		m.Close()
	}
	return path
}

func TestVideo(t *testing.T) {
	path := smallMP4(t)
	synctest.Test(t, func(t *testing.T) {
		s, start := mustOpen(t, Config{Source: path}), time.Now()
		if got, want := info(s), (Info{Name: "small.mp4", Size: image.Pt(560, 320), FPS: 30}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		got, err := takeAll(t, s)
		if err != nil || len(got) != 166 {
			t.Fatalf("got %d frames, %v, want 166", len(got), err)
		}
		for i, f := range got {
			want := time.Duration(i) * time.Second / 30
			if d := f.captured.Sub(start) - want; f.id != uint32(i) || f.size != image.Pt(560, 320) || d < -time.Millisecond || d > time.Millisecond {
				t.Fatalf("frame %d (ID %d) of %v came at %v, want %v", i, f.id, f.size, f.captured.Sub(start), want)
			}
		}
		if got := stats(s); got != (Stats{Pictures: 166}) {
			t.Errorf("got %+v", got)
		}
	})
}

// The pictures are the file's, in its colours.
func TestVideoShowsTheClip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // never late
		path := smallMP4(t)
		file, err := gocv.VideoCaptureFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		s := mustOpen(t, Config{Source: path, Quality: 95, FPS: 1000})
		m := gocv.NewMat()
		defer m.Close()
		for i, f := range take(t, s, 5) {
			if !file.Read(&m) {
				t.Fatal("the clip is too short")
			}
			pix, err := m.DataPtrUint8()
			if err != nil {
				t.Fatal(err)
			}
			img, sum := decode(t, f.jpeg), 0.0
			for y := 0; y < 320; y += 4 {
				for x := 0; x < 560; x += 4 {
					r, g, b, _ := img.At(x, y).RGBA()
					for c, v := range [3]uint32{b, g, r} {
						d := float64(pix[(y*560+x)*3+c]) - float64(v>>8)
						sum += d * d
					}
				}
			}
			if mse := sum / (80 * 140 * 3); mse > 40 { // 32 dB
				t.Errorf("frame %d differs from the clip by a mean square of %.0f", i, mse)
			}
		}
	})
}

func TestVideoLoopsWithoutHiccup(t *testing.T) {
	path := greyAVI(t, 20)
	synctest.Test(t, func(t *testing.T) {
		s, start := mustOpen(t, Config{Source: path, Loop: true}), time.Now()
		for i, f := range take(t, s, 90) {
			if at := time.Duration(i) * 40 * time.Millisecond; f.id != uint32(i) || f.captured.Sub(start).Round(time.Millisecond) != at {
				t.Fatalf("frame %d (ID %d) came at %v, want %v", i, f.id, f.captured.Sub(start), at)
			}
			if y, _, _ := colour(decode(t, f.jpeg)); !near(y, byte(20+2*(i%20)), 1) {
				t.Fatalf("frame %d has luma %d, want that of picture %d, %d", i, y, i%20, 20+2*(i%20))
			}
		}
	})
}

func TestVideoThinnedScaledMarked(t *testing.T) {
	path := greyAVI(t, 50)
	for _, size := range []image.Point{{200, 170}, {641, 480}} {
		synctest.Test(t, func(t *testing.T) {
			s := mustOpen(t, Config{Source: path, FPS: 5, Size: size, Timecode: true})
			if got, want := info(s), (Info{Name: "grey.avi", Size: size, FPS: 5}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			got, err := takeAll(t, s)
			if err != nil || len(got) != 10 {
				t.Fatalf("got %d frames, %v, want 10", len(got), err)
			}
			for i, f := range got {
				img := decode(t, f.jpeg)
				y, _, _ := colour(img)
				code, err := timecode.Read(img)
				if img.Rect.Size() != size || !near(y, byte(20+10*i), 1) || err != nil || code.ID != f.id || f.id != uint32(i) {
					t.Errorf("frame %d: %v, luma %d, %+v, %v", f.id, img.Rect.Size(), y, code, err)
				}
			}
			if got := stats(s); got != (Stats{Pictures: 50, Thinned: 40}) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Someone who is away meanwhile goes on with the present.
func TestVideoSkipsToThePresent(t *testing.T) {
	path := greyAVI(t, 50)
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, Config{Source: path})
		take(t, s, 1)
		time.Sleep(time.Second)
		f := take(t, s, 1)[0]
		if y, _, _ := colour(decode(t, f.jpeg)); f.id < 24 || f.id > 25 || !near(y, byte(20+2*f.id), 1) {
			t.Errorf("after a second: frame %d with luma %d", f.id, y)
		}
		if got := stats(s).Late; got != uint64(f.id)-1 {
			t.Errorf("%d were left out as late, want %d", got, f.id-1)
		}
	})
}

func TestVideoCutOff(t *testing.T) {
	whole, err := os.ReadFile(greyAVI(t, 50))
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, t.TempDir(), "cut.avi", whole[:len(whole)/2])
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, Config{Source: path})
		got, err := takeAll(t, s)
		if len(got) < 15 || len(got) > 35 {
			t.Errorf("got %d of 50 frames from half the file", len(got))
		}
		want := fmt.Sprintf("capture: %s ended after %d of 50 frames (", path, len(got))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s...", err, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := mustOpen(t, Config{Source: path, Loop: true, Log: log.log()})
		take(t, s, 100)
		if n := strings.Count(log.String(), "video is incomplete"); n != 1 {
			t.Errorf("looped, the log says it %d times, want once:\n%s", n, &log)
		}
	})
}

// Cut within its middle, small.mp4 loses the index at its end and cannot be opened.
func TestNoVideo(t *testing.T) {
	clip, err := os.ReadFile(smallMP4(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"cut.mp4":    clip[:len(clip)/2],
		"random.mp4": noisy(100, 100).Y,
		"zero.mov":   make([]byte, 100000),
		"text.avi":   bytes.Repeat([]byte("this is no video\n"), 100),
		"colon:0":    []byte("short"),
	} {
		path := writeFile(t, dir, name, data)
		s, err := Open(t.Context(), Config{Source: path})
		if err == nil {
			_, err = takeAll(t, s)
			s.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "capture: "+path+" is no video that OpenCV can read") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVideoWithColon(t *testing.T) {
	clip, err := os.ReadFile(smallMP4(t))
	if err != nil {
		t.Fatal(err)
	}
	take(t, mustOpen(t, Config{Source: writeFile(t, t.TempDir(), "pipe:12:30.mp4", clip)}), 1)
	t.Chdir(t.TempDir())
	writeFile(t, ".", "http:x.mp4", clip)
	take(t, mustOpen(t, Config{Source: "http:x.mp4"}), 1)
}
