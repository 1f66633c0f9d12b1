package display

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

func openTest(t testing.TB, cfg Config) stream.Sink {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// record writes pictures to dir in a run of its own.
func record(t *testing.T, dir string, pictures ...string) {
	t.Helper()
	s := openTest(t, Config{Kind: "images:" + dir})
	var fs frames
	for _, p := range pictures {
		if err := fs.write(t, s, []byte(p)); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// files returns what dir holds, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

func wantFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if got := files(t, dir); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A later run goes on where the one before ended, whatever else lies there.
func TestImages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	record(t, dir, "one", "two")
	want := map[string]string{"frame-00000001.jpg": "one", "frame-00000002.jpg": "two"}
	wantFiles(t, dir, want)

	for _, name := range []string{"frame-00000041.jpg", "frame-00000099.png", "frame-x.jpg", "notes.txt", "frame-.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("was there"), 0o666); err != nil {
			t.Fatal(err)
		}
		want[name] = "was there"
	}
	record(t, dir, "three", "four")
	want["frame-00000042.jpg"], want["frame-00000043.jpg"] = "three", "four"
	wantFiles(t, dir, want)
}

// Two recorders in one directory lose nothing to each other.
func TestImagesTogether(t *testing.T) {
	dir := t.TempDir()
	a, b := openTest(t, Config{Kind: "images:" + dir}), openTest(t, Config{Kind: "images:" + dir})
	done := make(chan error)
	const each = 100
	for i, s := range []stream.Sink{a, b} {
		go func() {
			var fs frames
			for n := range each {
				f := fs.next(fmt.Appendf(nil, "%d %d", i, n))
				err := s.Write(t.Context(), f)
				f.Release()
				if err != nil {
					done <- err
					return
				}
			}
			done <- s.Close()
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	got := slices.Sorted(maps.Values(files(t, dir)))
	if got = slices.Compact(got); len(got) != 2*each {
		t.Errorf("%d different pictures, want %d", len(got), 2*each)
	}
}

// What a killed recorder left half-written goes; what another is writing stays, and
// so does its number.
func TestImagesLeftOver(t *testing.T) {
	dir := t.TempDir()
	part := func(n int, age time.Duration) string {
		name := fmt.Sprintf("frame-%08d.jpg.part", n)
		path, at := filepath.Join(dir, name), time.Now().Add(-age)
		if err := os.WriteFile(path, []byte("half"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return name
	}
	part(1, 2*staleAfter)
	young := part(2, 0)
	record(t, dir, "a", "b")
	wantFiles(t, dir, map[string]string{"frame-00000001.jpg": "a", young: "half", "frame-00000003.jpg": "b"})
}

func TestImagesImpossible(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "a\x00b"} {
		s, err := Open(Config{Kind: "images:" + dir})
		if err == nil {
			s.Close()
			t.Errorf("%q: opened", dir)
			continue
		}
		if !strings.HasPrefix(err.Error(), "display: images cannot be recorded") {
			t.Errorf("%q: got %v", dir, err)
		}
	}
}

// The directory goes away in mid-recording: an error, not a crash or silence.
func TestImagesDirectoryGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	s := openTest(t, Config{Kind: "images:" + dir})
	defer s.Close()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	var some frames
	if err := some.write(t, s, []byte("x")); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error that names the directory", err)
	}
}

func BenchmarkImages(b *testing.B) {
	s := openTest(b, Config{Kind: "images:" + b.TempDir()})
	defer s.Close()
	var fs frames
	jpeg := bytes.Repeat([]byte("x"), 100e3)
	b.SetBytes(int64(len(jpeg)))
	for b.Loop() {
		if err := fs.write(b, s, jpeg); err != nil {
			b.Fatal(err)
		}
	}
}
