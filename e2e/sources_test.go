//go:build linux

package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// mustComeThrough watches a source and compares what comes out with the clip.
func mustComeThrough(t *testing.T, source string, clip []small) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pictures")
	viewer := view(t, "--display", "images:"+dir)
	send(t, viewer.listening(), "--source", source)
	viewer.await("pictures", shown(40))
	viewer.interrupt()
	viewer.finish()
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	mustShow(t, source, smalls(t, "-i", files[len(files)-5])[0], clip)
}

// FFmpeg serves the clip as multipart JPEG over HTTP.
func TestFFmpegsMJPEG(t *testing.T) {
	t.Parallel()
	clip, at := clipFrames(t), freePort(t, "tcp")
	server := beside(testutil.Need(t, "ffmpeg"), "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clipPath(t),
		"-c:v", "mjpeg", "-q:v", "3", "-f", "mpjpeg", "-listen", "1", "http://"+at+"/")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	time.Sleep(time.Second) // it serves one client, so there is no asking whether it listens
	mustComeThrough(t, "mjpeg+http://"+at+"/", clip)
}

// Our own page is a source like any other: a viewer's picture is sent on by HTTP.
func TestOurOwnMJPEG(t *testing.T) {
	t.Parallel()
	clip := clipFrames(t)
	first := startWith(t, options{env: []string{"DISPLAY="}}, append([]string{"view", "--listen", "127.0.0.1:0", "--display", "web", "--web", "127.0.0.1:0"}, jsonStats...)...)
	send(t, first.listening(), "--source", clipPath(t), "--loop")
	first.await("frames", shown(10))
	mustComeThrough(t, "mjpeg+"+first.page()+"stream.mjpg", clip)
}

// When the other side of a network source is killed and started again, the viewer of
// it sees the picture again.
func TestNetworkSourceRestarts(t *testing.T) {
	t.Parallel()
	at := freePort(t, "tcp")
	demo := func() *program {
		return startWith(t, options{env: []string{"DISPLAY="}}, append([]string{"demo", "--display", "web", "--web", at}, jsonStats...)...)
	}
	origin := demo()
	origin.await("frames", shown(10))
	viewer := view(t, "--display", "none", "--timecode")
	sender := send(t, viewer.listening(), "--source", "mjpeg+http://"+at+"/stream.mjpg")
	codes := func(n uint64) func(figures) bool {
		return func(f figures) bool { return f.View.Timecode.Frames > n }
	}
	viewer.await("live picture", codes(20))
	origin.kill()
	viewer.await("placeholder", func(f figures) bool { return f.View.Timecode.Unreadable > 0 })
	before := viewer.latest().View.Timecode.Frames
	origin = demo()
	viewer.await("live picture again", codes(before+20))
	if sender.ended() {
		t.Error("the sender has ended")
	}
}
