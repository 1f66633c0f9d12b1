//go:build linux

package e2e

import (
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// resumeWithin is what the program promises after either side was restarted.
const resumeWithin = 2 * time.Second

// A sender that is killed and started again is followed again.
func TestSenderRestarts(t *testing.T) {
	viewer := view(t, "--display", "none")
	at := viewer.listening()
	sender := send(t, at, "--fps", "30")
	viewer.await("first frames", shown(20))
	for round := range restarts() {
		sender.kill()
		// Frames on their way are shown still, and then none.
		time.Sleep(300 * time.Millisecond)
		before := viewer.latest().View
		began := time.Now()
		sender = send(t, at, "--fps", "30")
		f := viewer.await("frame of the restarted sender", shown(before.Frames.Shown))
		mustResume(t, "the sender", f.at.Sub(began))
		if f.View.Network.From == before.Network.From {
			t.Errorf("round %d: the viewer says it follows %s still", round, f.View.Network.From)
		}
		viewer.await("steady stream", shown(f.View.Frames.Shown+20))
	}
}

// A viewer that is killed and started again shows the picture again, and its sender
// has not noticed.
func TestViewerRestarts(t *testing.T) {
	viewer := view(t, "--display", "none")
	at := viewer.listening()
	sender := send(t, at, "--fps", "30")
	viewer.await("first frames", shown(20))
	for range restarts() {
		viewer.kill()
		before := sender.latest().Send.Frames.Sent
		sender.await("frames sent to nobody", func(f figures) bool { return f.Send.Frames.Sent > before+10 })
		began := time.Now()
		viewer = view(t, "--display", "none", "--listen", at)
		f := viewer.await("frame at the restarted viewer", shown(0))
		mustResume(t, "the viewer", f.at.Sub(began))
		viewer.await("steady stream", shown(20))
	}
}

// restarts is how often the tests here restart a side.
func restarts() int {
	if testutil.Long() {
		return 20
	}
	return 2
}

func mustResume(t *testing.T, who string, after time.Duration) {
	t.Helper()
	t.Logf("video %v after %s was started again", after.Round(time.Millisecond), who)
	if after > resumeWithin {
		t.Errorf("video came %v after %s was started again, want %v", after, who, resumeWithin)
	}
}
