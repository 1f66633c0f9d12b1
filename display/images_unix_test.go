//go:build linux || darwin

package display

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel refuses the rest of a picture in the middle, as it does on a full disk:
// the error is clear, the torn picture is gone, and what was recorded stays.
func TestImagesFull(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, Config{Kind: "images:" + dir})
	var some frames
	if err := some.write(t, s, []byte("small")); err != nil {
		t.Fatal(err)
	}

	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := was
	limit.Cur = 1 << 20 // bytes a file: more than the log `go test` keeps meanwhile. Go ignores the SIGXFSZ
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	err := some.write(t, s, make([]byte, 2<<20))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}

	if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), "those before it are kept") {
		t.Errorf("got %v", err)
	}
	wantFiles(t, dir, map[string]string{"frame-00000001.jpg": "small"})

	// Room again, and recording could go on.
	if err := errors.Join(some.write(t, s, []byte("next")), s.Close()); err != nil {
		t.Error(err)
	}
	wantFiles(t, dir, map[string]string{"frame-00000001.jpg": "small", "frame-00000002.jpg": "next"})
}

// A directory that others may write to, but not we, is known before the first frame.
func TestImagesNotWritable(t *testing.T) {
	parent := t.TempDir()
	for _, p := range []string{parent, filepath.Dir(parent)} { // so far they are ours alone
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(parent, "theirs")
	if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		s, err := Open(Config{Kind: "images:" + dir})
		if err == nil {
			s.Close()
			t.Error("opened")
			return
		}
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v", err)
		}
	})
}
