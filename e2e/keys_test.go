//go:build linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// The window's keys, as its user presses them.
func TestKeys(t *testing.T) {
	t.Parallel()
	testutil.Need(t, "xdotool")
	clip, display, dir := clipFrames(t), screen(t), t.TempDir()
	viewer := startWith(t, options{env: []string{"DISPLAY=" + display}, dir: dir},
		append([]string{"view", "--listen", "127.0.0.1:0", "--display", "window"}, jsonStats...)...)
	send(t, viewer.listening(), "--source", clipPath(t), "--loop")
	viewer.await("picture", shown(10))
	id, grab := window(t, display)
	press := func(key string) {
		t.Helper()
		if _, err := xdotool(t, display, "key", "--window", id, key); err != nil {
			t.Fatal(err)
		}
	}
	// until waits for what a key should lead to.
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %s", what)
			}
		}
	}
	raw := func() []byte { return ffmpeg(t, append(grab, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")...) }

	press("s")
	until("snapshot", func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "framegram-*.jpg"))
		if len(files) != 1 {
			return false
		}
		b, err := os.ReadFile(files[0])
		return err == nil && bytes.HasSuffix(b, []byte{0xff, 0xd9})
	})
	files, _ := filepath.Glob(filepath.Join(dir, "framegram-*.jpg"))
	mustShow(t, "the snapshot", smalls(t, "-i", files[0])[0], clip)

	press("space") // freezes
	var frozen []byte
	until("standing picture", func() bool {
		a := raw()
		time.Sleep(300 * time.Millisecond)
		frozen = raw()
		return bytes.Equal(a, frozen)
	})
	press("i")
	until("overlay", func() bool { return differ(raw(), frozen) > len(frozen)/200 })
	press("i")
	until("picture without it", func() bool { return bytes.Equal(raw(), frozen) })
	press("space") // goes on
	until("moving picture", func() bool { return !bytes.Equal(raw(), frozen) })

	press("q")
	viewer.finish()
}

// differ counts the bytes that are not the same.
func differ(a, b []byte) (n int) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
