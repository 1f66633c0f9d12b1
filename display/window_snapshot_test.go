//go:build cgo && !nocv && linux

package display

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/stream"
)

// Pictures are named for their time; nothing is overwritten, and the directory is made.
func TestSaveNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "some", "where")
	at := time.Date(2026, 11, 22, 14, 5, 9, 123_999_999, time.UTC)
	want := map[string]string{}
	for i, name := range []string{
		"framegram-20261122-140509.123.jpg", "framegram-20261122-140509.123-2.jpg", "framegram-20261122-140509.123-3.jpg",
	} {
		jpeg := strings.Repeat("picture", i+1)
		path, err := saveNew(dir, at, []byte(jpeg))
		if err != nil || path != filepath.Join(dir, name) {
			t.Fatalf("got %s, %v, want %s", path, err, name)
		}
		want[name] = jpeg
	}
	wantFiles(t, dir, want)

	t.Chdir(dir)
	if path, err := saveNew("", at, nil); err != nil || path != "framegram-20261122-140509.123-4.jpg" {
		t.Errorf("without a directory: got %s, %v", path, err)
	}
}

// A picture for which there is no room leaves nothing behind, and the reason is short
// enough to be shown.
func TestSaveNewFull(t *testing.T) {
	dir := t.TempDir()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := was
	limit.Cur = 1 << 20 // bytes a file: more than the log `go test` keeps meanwhile. Go ignores the SIGXFSZ
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := saveNew(dir, time.Now(), make([]byte, 2<<20))
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) || reason(err) != "file too large" {
		t.Errorf("got %v, in short %q", err, reason(err))
	}
	wantFiles(t, dir, nil)
}

// A directory in which we may not write is an error with its path.
func TestSaveNewNotWritable(t *testing.T) {
	parent := t.TempDir()
	for _, p := range []string{parent, filepath.Dir(parent)} { // so far they are ours alone
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		_, err := saveNew(parent, time.Now(), []byte("picture"))
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), parent) || strings.Contains(reason(err), parent) {
			t.Errorf("got %v, in short %q", err, reason(err))
		}
	})
}

// One picture at a time is saved, and however long one takes neither the window nor
// its end waits for it.
func TestSnapshotStuck(t *testing.T) {
	stuck, free := make(chan bool), make(chan bool)
	s := snapshots{dir: t.TempDir(), log: slog.New(slog.DiscardHandler), notify: func(string) { stuck <- true; <-free }}
	if s.save(nil) == "" {
		t.Error("nothing is said about a picture that is not there")
	}
	if err := s.Close(); err != nil {
		t.Errorf("with nothing to save: %v", err)
	}
	var fs frames
	f := fs.next([]byte("picture"))
	if text := s.save(f); text != "" {
		t.Fatal(text)
	}
	f.Release()
	<-stuck
	if text := s.news(); !strings.HasPrefix(text, "saved framegram-") {
		t.Errorf("told %q", text)
	}
	if s.news() != "" {
		t.Error("the same is told twice")
	}
	f = stream.NewFrame([]byte("another"))
	if s.save(f) == "" {
		t.Error("a second picture is saved beside the first")
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("closed with %v, want that a picture in %s is not done", err, s.dir)
	}
	close(free)
	if err := s.Close(); err != nil {
		t.Errorf("done, and closed with %v", err)
	}
}
