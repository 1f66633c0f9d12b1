package capture

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/timecode"
)

func TestImagesPassUntouched(t *testing.T) {
	dir, want := t.TempDir(), greys(t, 12, 64, 48)
	for i, jpeg := range want {
		writeFile(t, dir, fmt.Sprintf("frame%d.%s", i+1, []string{"jpg", "JPEG"}[i%2]), jpeg)
	}
	writeFile(t, dir, "notes.txt", []byte("not played"))
	for _, source := range []string{dir, filepath.Join(dir, "frame*.[jJ][pP]*")} {
		synctest.Test(t, func(t *testing.T) {
			s, start := mustOpen(t, Config{Source: "images:" + source, FPS: 50}), time.Now()
			got, err := takeAll(t, s)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s: got %d frames, %v, want %d", source, len(got), err, len(want))
			}
			for i, f := range got {
				if !bytes.Equal(f.jpeg, want[i]) {
					t.Errorf("frame %d is not the file's bytes", i)
				}
				if at := time.Duration(i) * 20 * time.Millisecond; f.id != uint32(i) || f.captured.Sub(start) != at || f.size != image.Pt(64, 48) {
					t.Errorf("frame %d: ID %d, %v after the start, %v; want %v", i, f.id, f.captured.Sub(start), f.size, at)
				}
			}
			if got := stats(s); got != (Stats{Pictures: 12}) {
				t.Errorf("got %+v", got)
			}
			if got, want := info(s), (Info{Name: "images:" + source, FPS: 50}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestImagesLoop(t *testing.T) {
	dir, want := t.TempDir(), greys(t, 3, 16, 16)
	for i, jpeg := range want {
		writeFile(t, dir, fmt.Sprint(i, ".jpg"), jpeg)
	}
	synctest.Test(t, func(t *testing.T) {
		s, start := mustOpen(t, Config{Source: "images:" + dir, Loop: true}), time.Now()
		for i, f := range take(t, s, 31) {
			if !bytes.Equal(f.jpeg, want[i%3]) || f.id != uint32(i) {
				t.Errorf("frame %d is not file %d", f.id, i%3)
			}
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("31 frames at the default rate took %v, want 1s", got)
		}
	})
}

func TestImagesUnusable(t *testing.T) {
	dir, good := t.TempDir(), greys(t, 2, 32, 32)
	writeFile(t, dir, "1.jpg", good[0])
	writeFile(t, dir, "2.jpg", []byte("GIF89a"))
	writeFile(t, dir, "3.jpg", nil)
	writeFile(t, dir, "4.jpg", append(bytes.Clone(good[0]), make([]byte, 5000)...))
	os.Mkdir(filepath.Join(dir, "5.jpg"), 0o777)
	writeFile(t, dir, "6.jpg", good[1])
	bad := []string{"2.jpg", "3.jpg", "4.jpg", "5.jpg"}
	var log logBuffer
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, Config{Source: "images:" + dir, MaxFrame: 5000, Log: log.log()})
		got, err := takeAll(t, s)
		if err != nil || len(got) != 2 || !bytes.Equal(got[0].jpeg, good[0]) || !bytes.Equal(got[1].jpeg, good[1]) {
			t.Errorf("got %d frames, %v, want the two good ones", len(got), err)
		}
		if got := stats(s); got != (Stats{Pictures: 6, Damaged: 4}) {
			t.Errorf("got %+v", got)
		}
	})
	for _, name := range bad {
		if n := strings.Count(log.String(), filepath.Join(dir, name)); n == 0 {
			t.Errorf("the log does not name %s:\n%s", name, &log)
		}
	}
}

// More than fits in memory is read again each time, and may have changed by then.
func TestImagesBeyondMemory(t *testing.T) {
	dir, good := t.TempDir(), greys(t, 1, 32, 32)[0]
	var paths []string
	for i := range 8 {
		paths = append(paths, writeFile(t, dir, fmt.Sprint(i, ".jpg"), good))
	}
	var log logBuffer
	synctest.Test(t, func(t *testing.T) {
		set := newImageSet(Config{Loop: true, MaxFrame: 1 << 20, Log: log.log()}, "set", 4*len(good)+1)
		if err := set.load(t.Context(), paths); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, f := range set.files {
			kept += len(f.jpeg)
		}
		if kept != 4*len(good) {
			t.Errorf("%d bytes are in memory, want %d", kept, 4*len(good))
		}
		os.Remove(paths[0]) // is in memory
		os.Remove(paths[6])
		writeFile(t, dir, "7.jpg", []byte("spoilt"))
		set.start(0)
		defer set.Close()
		for i, f := range take(t, set, 20) {
			if !bytes.Equal(f.jpeg, good) || f.id != uint32(i) {
				t.Errorf("frame %d (ID %d) is not a file's bytes", i, f.id)
			}
		}
		if got := stats(set); got.Damaged != 2 || !strings.Contains(log.String(), paths[6]) {
			t.Errorf("got %+v, and the log is:\n%s", got, &log)
		}
	})
}

func TestImagesAllGone(t *testing.T) {
	path := writeFile(t, t.TempDir(), "1.jpg", greys(t, 1, 32, 32)[0])
	synctest.Test(t, func(t *testing.T) {
		set := newImageSet(Config{Loop: true, MaxFrame: 1 << 20, Log: new(logBuffer).log()}, "set", 0)
		if err := set.load(t.Context(), []string{path}); err != nil {
			t.Fatal(err)
		}
		set.start(0)
		defer set.Close()
		take(t, set, 10)
		os.Remove(path)
		got, err := takeAll(t, set)
		if len(got) > buffers || err == nil || !strings.Contains(err.Error(), "none of the images can be read any more") {
			t.Errorf("got %d frames and %v", len(got), err)
		}
	})
}

func TestJPEGsAreEncodedAgain(t *testing.T) {
	dir := t.TempDir()
	img := plain(400, 320, image.YCbCrSubsampleRatio422, 120, 90, 170)
	original := encode(t, img, 97)
	writeFile(t, dir, "1.jpg", original)
	torn := original[:len(original)-len(original)/3]
	writeFile(t, dir, "2.jpg", append(bytes.Clone(torn), 0xff, 0xd9)) // header and end are whole
	writeFile(t, dir, "3.jpg", original)
	for name, tt := range map[string]struct {
		cfg  Config
		size image.Point
	}{
		"smaller":  {Config{Size: image.Pt(200, 160)}, image.Pt(200, 160)},
		"larger":   {Config{Size: image.Pt(801, 601)}, image.Pt(801, 601)},
		"quality":  {Config{Quality: 30}, image.Pt(400, 320)},
		"timecode": {Config{Timecode: true}, image.Pt(400, 320)},
	} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			cfg := tt.cfg
			cfg.Source, cfg.Log = "images:"+dir, log.log()
			synctest.Test(t, func(t *testing.T) {
				s := mustOpen(t, cfg)
				got, err := takeAll(t, s)
				if err != nil || ids(got) != "[0 2]" {
					t.Fatalf("got frames %s, %v, want [0 2]: the second does not decode", ids(got), err)
				}
				if got := stats(s); got != (Stats{Pictures: 3, Damaged: 1}) {
					t.Errorf("got %+v", got)
				}
				for _, f := range got {
					if bytes.Equal(f.jpeg, original) {
						t.Error("it is the file's bytes")
					}
					img := decode(t, f.jpeg)
					if img.Rect.Size() != tt.size || f.size != tt.size {
						t.Errorf("got %v, frame says %v, want %v", img.Rect.Size(), f.size, tt.size)
					}
					if y, cb, cr := colour(img); !near(y, 120, 4) || !near(cb, 90, 4) || !near(cr, 170, 4) {
						t.Errorf("the colour has become %d, %d, %d", y, cb, cr)
					}
					code, err := timecode.Read(img)
					if cfg.Timecode && (err != nil || code.ID != f.id) || !cfg.Timecode && err == nil {
						t.Errorf("the timecode is %+v, %v", code, err)
					}
				}
			})
			if !strings.Contains(log.String(), "picture skipped") {
				t.Errorf("the log says nothing of the damaged one:\n%s", &log)
			}
		})
	}
}

func TestTimecodeOnSmallImages(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "1.jpg", greys(t, 1, 100, 100)[0])
	writeFile(t, dir, "2.jpg", greys(t, 1, 640, 360)[0])
	var log logBuffer
	s := mustOpen(t, Config{Source: "images:" + dir, Timecode: true, Log: log.log()})
	got, err := takeAll(t, s)
	if err != nil || ids(got) != "[1]" || stats(s).Damaged != 1 {
		t.Errorf("got frames %s, %v, %+v, want the large one only", ids(got), err, stats(s))
	}
	if !strings.Contains(log.String(), timecode.ErrTooSmall.Error()) {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

func TestCutOffFilesAreSkipped(t *testing.T) {
	dir := t.TempDir()
	jpeg := greys(t, 1, 640, 360)[0]
	writeFile(t, dir, "1.jpg", jpeg)
	writeFile(t, dir, "2.jpg", jpeg[:len(jpeg)-2])
	writeFile(t, dir, "3.jpg", append(bytes.Clone(jpeg), "camera's private bytes"...))
	var log logBuffer
	s := mustOpen(t, Config{Source: "images:" + dir, Log: log.log()})
	got, err := takeAll(t, s)
	if err != nil || len(got) != 2 || stats(s).Damaged != 1 || !strings.Contains(log.String(), "cut off") {
		t.Errorf("got %d frames, %v, %+v, log %s", len(got), err, stats(s), &log)
	}
}

func TestHuffmanTablesAreMended(t *testing.T) {
	whole := encode(t, plain(64, 64, image.YCbCrSubsampleRatio420, 99, 128, 128), 80)
	h, err := codec.ParseHeader(whole)
	if err != nil {
		t.Fatal(err)
	}
	// Cameras leave out the DHT segments: do the same.
	var bare []byte
	for i := 2; i < h.Scan; {
		n := 2 + int(whole[i+2])<<8 + int(whole[i+3])
		if whole[i+1] != 0xC4 {
			bare = append(bare, whole[i:i+n]...)
		}
		i += n
	}
	bare = slices.Concat(whole[:2], bare, whole[h.Scan:])
	if h, err := codec.ParseHeader(bare); err != nil || h.Huffman {
		t.Fatalf("%+v, %v", h, err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "1.jpg", bare)
	got := take(t, mustOpen(t, Config{Source: "images:" + dir}), 1)[0]
	if h, err := codec.ParseHeader(got.jpeg); err != nil || !h.Huffman {
		t.Errorf("got %+v, %v, want Huffman tables", h, err)
	}
	if y, _, _ := colour(decode(t, got.jpeg)); !near(y, 99, 2) {
		t.Errorf("luma is %d, want 99", y)
	}
}

func TestNaturalOrder(t *testing.T) {
	want := []string{
		"", "01", "1", "2", "10", "99999999999999999999998", "99999999999999999999999", "a", "a1", "a1b", "a2", "a10", "a10b2", "a10b10", "b1", "frame-9.jpg", "frame-10.jpg",
	}
	for i := range want {
		for j := range want {
			if got := natural(want[i], want[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%q and %q: got %d", want[i], want[j], got)
			}
		}
	}
}
