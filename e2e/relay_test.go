//go:build linux

package e2e

import (
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
