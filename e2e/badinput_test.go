//go:build linux

package e2e

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// grey is a JPEG of noise, quality 90: about a byte a pixel.
func grey(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewPCG(3, 4))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: byte(random.Uint32())}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A camera's cable is bad: what is whole between the garbage is sent.
func TestGarbageBetweenPictures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	viewer := view(t, "--display", "images:"+dir)
	r, w := io.Pipe()
	sender := startWith(t, options{stdin: r}, append([]string{"send", "--source", "-", "--format", "mjpeg", "--to", viewer.listening()}, jsonStats...)...)
	picture := grey(t, 320, 240)
	for i := range uint64(20) {
		w.Write([]byte("\xff\x00garbage\xff\xe0"))
		w.Write(picture)
		viewer.await("picture", shown(i))
	}
	w.Write(picture[:len(picture)/2])
	w.Close()
	if f := sender.finish(); f.Send.Frames.Sent != 20 || f.Send.Capture.Garbage < 20*11 || f.Send.Capture.Damaged != 1 {
		t.Errorf("sent %d frames, %+v", f.Send.Frames.Sent, f.Send.Capture)
	}
	viewer.interrupt()
	viewer.finish()
	files, _ := filepath.Glob(filepath.Join(dir, "*.jpg"))
	for _, name := range files {
		if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, picture) {
			t.Errorf("%s is not the picture that was sent: %v", name, err)
		}
	}
	if len(files) != 20 {
		t.Errorf("%d pictures received, want 20", len(files))
	}
}

// A frame over the limit is left out and said once; those after it are sent.
func TestFrameOverTheLimit(t *testing.T) {
	t.Parallel()
	viewer := view(t, "--display", "none")
	r, w := io.Pipe()
	sender := startWith(t, options{stdin: r}, append([]string{"send", "--source", "-", "--format", "mjpeg", "--to", viewer.listening()}, jsonStats...)...)
	fits, large := grey(t, 320, 240), grey(t, 6000, 4000)
	if len(large) <= 16<<20 {
		t.Fatalf("the large picture has %d bytes only", len(large))
	}
	w.Write(fits)
	viewer.await("picture", shown(0))
	for range 3 {
		w.Write(large)
	}
	w.Write(fits)
	viewer.await("picture after the large ones", shown(1))
	w.Close()
	f := sender.finish()
	if f.Send.Frames.Sent != 2 || f.Send.Frames.TooLarge+f.Send.Capture.Damaged != 3 {
		t.Errorf("%+v", f.Send)
	}
	if n := strings.Count(sender.said(), "level=WARN"); n != 1 || !strings.Contains(sender.said(), "too_large") {
		t.Errorf("said %d times, want once", n)
	}
}

// Cut off half-way, a video file is played as far as it goes, and then that is said.
// An MP4 with its index at the end cannot be opened at all then.
func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fast, half := filepath.Join(dir, "fast.mp4"), filepath.Join(dir, "half.mp4")
	ffmpeg(t, "-i", clipPath(t), "-c", "copy", "-an", "-movflags", "+faststart", fast)
	truncate(t, fast, half)
	viewer := view(t, "--display", "none")
	sender := send(t, viewer.listening(), "--source", half)
	if code := sender.wait(); code != 1 || !strings.Contains(lastLine(sender.said()), "cut off") {
		t.Errorf("exit %d, said %s", code, sender.said())
	}
	if n := sender.latest().Send.Frames.Sent; !sender.latest().Final || n < 20 || n > 150 {
		t.Errorf("sent %d frames of half a clip of 166", n)
	}

	indexless := filepath.Join(dir, "indexless.mp4")
	slow := filepath.Join(dir, "slow.mp4")
	ffmpeg(t, "-i", clipPath(t), "-c", "copy", "-an", slow)
	truncate(t, slow, indexless)
	code, _, said := command(t, framegram, "send", "--to", "127.0.0.1:9", "--source", indexless)
	if code != 1 || !strings.Contains(lastLine(said), "framegram: ") || !strings.Contains(said, indexless) {
		t.Errorf("exit %d, said %s", code, said)
	}
}

func truncate(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// Someone sends a later version of the protocol: the viewer says so, with both.
func TestNewerProtocolVersion(t *testing.T) {
	t.Parallel()
	viewer := view(t, "--display", "none")
	conn, err := net.Dial("udp", viewer.listening())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	datagram := make([]byte, 1000)
	copy(datagram, "FG\x21") // version 2, data
	binary.BigEndian.PutUint64(datagram[4:], 7)
	for range 50 {
		conn.Write(datagram)
	}
	said := viewer.heard(`(?m)^(.*version.*)$`)
	if !strings.Contains(said, "2") || !strings.Contains(said, "1") {
		t.Errorf("said %q, want both versions", said)
	}
	f := viewer.await("count", func(f figures) bool { return f.View.UDP.Fragments.Dropped["other_version"] == 50 })
	if f.View.Frames.Received != 0 {
		t.Errorf("%d frames received", f.View.Frames.Received)
	}
	if n := strings.Count(viewer.said(), "level=WARN"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

// A directory that fills up ends view with an error that says so, and whole pictures
// in it.
func TestImagesDirectoryFull(t *testing.T) {
	t.Parallel()
	testutil.NeedRoot(t)
	dir := t.TempDir()
	if out, err := exec.Command(testutil.Need(t, "mount"), "-t", "tmpfs", "-o", "size=512k", "framegram-test", dir).CombinedOutput(); err != nil {
		testutil.Skip(t, "needs to mount a small file system: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	viewer := view(t, "--display", "images:"+dir)
	send(t, viewer.listening(), "--size", "640x360")
	if code := viewer.wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if line := lastLine(viewer.said()); !strings.HasPrefix(line, "framegram: ") || !strings.Contains(line, "no space left") {
		t.Errorf("said %q", line)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) == 0 {
		t.Error("no picture was kept")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("%s is no whole picture: %v", filepath.Base(name), err)
		}
	}
}

func TestImagesDirectoryNotWritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "/proc/framegram"} { // not even root writes there
		code, _, said := command(t, framegram, "view", "--listen", "127.0.0.1:0", "--display", "images:"+dir)
		if code != 1 || !strings.HasPrefix(lastLine(said), "framegram: ") || !strings.Contains(said, dir) {
			t.Errorf("%s: exit %d, said %s", dir, code, said)
		}
	}
}
