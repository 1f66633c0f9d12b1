package display

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/stream"
)

// On a disk of 1 MiB a recording ends when that is full, which is told once. The
// picture goes on, and what fitted is a whole file: closed, with its length, and
// nothing torn behind it.
func TestRecordToAFullDisk(t *testing.T) {
	testutil.NeedRoot(t)
	dir := t.TempDir()
	if err := unix.Mount("framegram-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		testutil.Skip(t, "mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "clip.mkv")
	r := openRecord(t, path, nil)
	var main onScreen
	ended := make(chan error, 2)
	sink := stream.Tee(func(_ stream.Sink, err error) { ended <- err }, &main, r)

	jpeg := shades(t, 1, 64, 48)[0]
	jpeg = append(jpeg, make([]byte, 100_000-len(jpeg))...)
	var some frames
	n := int64(0)
	var err error
	for ; len(ended) == 0; n++ {
		if n > 100_000 {
			t.Fatal("the disk is never full")
		}
		if err := some.write(t, sink, jpeg); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the recorder", func() bool { return r.Stats().Frames > uint64(n) || len(ended) > 0 })
	}
	if err = <-ended; !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), "no space left") != 1 || !strings.Contains(err.Error(), path) {
		t.Errorf("it ended with %v", err)
	}
	for range 10 {
		if err := some.write(t, sink, jpeg); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil || len(ended) > 0 {
		t.Errorf("got %v, and %d more messages", err, len(ended))
	}
	if got := main.frames.Load(); got != n+10 {
		t.Errorf("the picture: %d of %d frames", got, n+10)
	}
	s := r.Stats()
	if s.Frames != 10 { // 1 MiB is 256 pages: ten times 25 (100 kB and a little more) and not eleven times
		t.Errorf("got %+v, want 10 frames", s)
	}
	if n, info, err := readBack(t, path); uint64(n) != s.Frames || err != nil || info.Duration == 0 {
		t.Errorf("read back: %d frames, %v, %+v", n, err, info)
	}
	if n, complaint := decoded(t, path); uint64(n) != s.Frames || complaint != "" {
		t.Errorf("ffmpeg decodes %d, and says %q", n, complaint)
	}
}

// The same without root: the kernel refuses what is over a file's limit.
func TestRecordOverTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clip.mkv")
	r := openRecord(t, path, nil)
	jpegs := shades(t, 3, 96, 64)
	recordAll(t, r, jpegs, capturedAt(3))

	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := was
	limit.Cur = 1 << 20 // bytes a file: more than the log `go test` keeps meanwhile. Go ignores the SIGXFSZ
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	var some frames
	err := some.write(t, r, append(bytes.Clone(jpegs[0]), make([]byte, 2<<20)...))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if n, info, err := readBack(t, path); n != 3 || err != nil || info.Duration == 0 {
		t.Errorf("read back: %d frames, %v, %+v, want 3", n, err, info)
	}
	if n, complaint := decoded(t, path); n != 3 || complaint != "" {
		t.Errorf("ffmpeg decodes %d, and says %q", n, complaint)
	}
}
