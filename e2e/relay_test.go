//go:build linux

package e2e

import (
	"path/filepath"
	"testing"
	"time"
)

// A multicast stream goes to two machines that TCP alone reaches. When its sender is
// killed and started again both go on.
func TestRelay(t *testing.T) {
	l := newLAN(t, 4)
	relay := l.hosts[1].run("relay", "--from", "239.78.2.1", "--serve", "tcp://10.78.0.2")
	from := relay.serving()
	sender := l.hosts[0].run("send", "--to", "239.78.2.1", "--size", "640x360")
	viewers := []*program{
		l.hosts[2].run("view", "--from", from, "--display", "none", "--timecode"),
		l.hosts[3].run("view", "--from", from, "--display", "none", "--timecode"),
	}
	for round := range restarts() {
		var before []uint64
		for _, v := range viewers {
			f := v.await("steady stream", shown(v.latest().View.Frames.Shown+20))
			before = append(before, f.View.Frames.Shown)
		}
		sender.kill()
		time.Sleep(300 * time.Millisecond)
		for i, v := range viewers {
			before[i] = v.latest().View.Frames.Shown
		}
		began := time.Now()
		sender = l.hosts[0].run("send", "--to", "239.78.2.1", "--size", "640x360")
		for i, v := range viewers {
			f := v.await("frame of the restarted sender", shown(before[i]))
			t.Logf("round %d, viewer %d", round, i)
			mustResume(t, "the sender", f.at.Sub(began))
		}
	}
	// And the relay itself.
	relay.kill()
	time.Sleep(300 * time.Millisecond) // what was on its way has been shown and counted
	var before []uint64
	for _, v := range viewers {
		before = append(before, v.latest().View.Frames.Shown)
	}
	began := time.Now()
	relay = l.hosts[1].run("relay", "--from", "239.78.2.1", "--serve", "tcp://10.78.0.2")
	for i, v := range viewers {
		mustResume(t, "the relay", v.await("frame of the restarted relay", shown(before[i])).at.Sub(began))
	}
	for _, v := range viewers {
		v.interrupt()
		f := v.finish().View
		if f.Timecode.Unreadable+f.Timecode.Undecodable > 0 || f.Timecode.Frames == 0 {
			t.Errorf("pictures came out wrong: %+v", f.Timecode)
		}
	}
	relay.interrupt()
	if f := relay.finish().Relay.Frames; f.Received < f.Sent || f.Sent == 0 {
		t.Errorf("the relay counts %+v", f)
	}
}

// Two relays that feed each other keep neither a frame going round nor the next sender
// out.
func TestRelayRing(t *testing.T) {
	at := [2]string{"tcp://" + freePort(t, "tcp"), "tcp://" + freePort(t, "tcp")}
	var relays [2]*program
	for i := range relays {
		relays[i] = start(t, append([]string{"relay", "--listen", at[i], "--to", at[1-i]}, jsonStats...)...)
	}
	for i := range 2 {
		before := relays[0].latest().Relay.Frames.Received
		sent := send(t, at[0], "--frames", "40").finish().Send.Frames.Sent
		f := relays[0].await("end of the stream", func(f figures) bool { return f.Relay.Frames.Received >= before+sent/2 }).Relay.Frames
		time.Sleep(time.Second) // in which nothing may go round
		f = relays[0].latest().Relay.Frames
		t.Logf("sender %d: %d sent, %d received, %d passed on", i, sent, f.Received-before, f.Sent)
		if f.Received-before > 3*sent {
			t.Errorf("%d frames became %d", sent, f.Received-before)
		}
	}
}

// A single picture arrives over TCP, whether the viewer is dialled or not.
func TestSinglePictureOverTCP(t *testing.T) {
	t.Parallel()
	clip, dir := clipFrames(t), t.TempDir()
	picture := filepath.Join(dir, "picture.jpg")
	ffmpeg(t, "-i", clipPath(t), "-frames:v", "1", "-q:v", "2", picture)
	viewer := start(t, append([]string{"view", "--listen", "tcp://127.0.0.1:0", "--display", "images:" + filepath.Join(dir, "shown")}, jsonStats...)...)
	if f := send(t, "tcp://"+viewer.listening(), "--source", "images:"+picture).finish(); f.Send.Frames.Sent != 1 {
		t.Errorf("sent %d frames of one picture", f.Send.Frames.Sent)
	}
	viewer.await("picture", shown(0))
	viewer.interrupt()
	viewer.finish()
	files, _ := filepath.Glob(filepath.Join(dir, "shown", "*.jpg"))
	if len(files) != 1 {
		t.Fatalf("%d pictures", len(files))
	}
	mustShow(t, "the picture", smalls(t, "-i", files[0])[0], clip)
}
