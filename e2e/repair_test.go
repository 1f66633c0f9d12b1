//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// lose has the host's own packet filter drop so many of a hundred datagrams that come to
// UDP ports 5600 and 5601, each for itself.
func (h host) lose(percent int) {
	h.t.Helper()
	testutil.Need(h.t, "nft")
	rules := fmt.Sprintf("table inet fg {\nchain in {\ntype filter hook input priority 0;\nudp dport 5600-5601 numgen random mod 100 < %d drop;\n}\n}", percent)
	if out, err := exec.Command("ip", "netns", "exec", h.name, "nft", rules).CombinedOutput(); err != nil {
		h.t.Fatalf("nft: %v: %s", err, out)
	}
}

// Three viewers of one group lose 2 % of the datagrams, each others. What one asks for is
// sent to all, and nobody lacks a picture. (Without offload: a train would be lost as one.)
func TestGroupSurvivesLoss(t *testing.T) {
	const group = "239.78.2.1"
	frames := uint64(150)
	if testutil.Long() {
		frames = 600
	}
	tries := 0
	for !groupWithLoss(t, group, frames) {
		if tries++; tries == 3 { // other programs may hold the machine for a moment
			t.Fatal("never came 99.5 % of the frames everywhere")
		}
	}
}

// groupWithLoss reports whether 99.5 % of the frames have come whole to each viewer.
func groupWithLoss(t *testing.T, group string, frames uint64) (ok bool) {
	l := newLAN(t, 4)
	var viewers []*program
	for _, h := range l.hosts[1:] {
		h.lose(2)
		v := h.run("view", "--display", "none", "--listen", group)
		v.listening()
		viewers = append(viewers, v)
	}
	sender := l.hosts[0].run("send", "--to", group, "--offload", "off", "--frames", fmt.Sprint(frames), "--fps", "30")
	if sent := sender.finish().Send.Frames.Sent; sent != frames {
		t.Errorf("sent %d frames, want %d", sent, frames)
	}
	ok = true
	for i, v := range viewers {
		v.interrupt()
		f := v.finish().View
		c := f.UDP.Fragments
		t.Logf("viewer %d: whole %d, shown %d, lost %d; missing %d datagrams of %d", i, f.Frames.Received, f.Frames.Shown, f.Frames.Lost, c.Missing, f.UDP.Datagrams)
		if c.Missing == 0 {
			t.Error("nothing was lost on the way")
		}
		ok = ok && 1000*f.Frames.Received >= 995*frames
	}
	return ok
}

// What each mode of repair does about 2 % of loss on the way to one viewer: each does
// better than none.
func TestRepairModes(t *testing.T) {
	const frames = 120
	shown := make(map[string]uint64)
	var viewers, senders []*program
	modes := []string{"none", "fec", "nack", "auto"}
	for _, mode := range modes { // at once: each on a cable of its own
		c := newCable(t, 1500)
		c.hosts[1].lose(2)
		viewer := c.hosts[1].run("view", "--display", "none", "--repair", mode)
		viewer.listening()
		viewers = append(viewers, viewer)
		senders = append(senders, c.hosts[0].run("send", "--to", "10.77.0.2", "--repair", mode, "--size", "640x480", "--offload", "off", "--frames", fmt.Sprint(frames), "--fps", "30"))
	}
	for i, mode := range modes {
		senders[i].finish()
		viewers[i].interrupt()
		f := viewers[i].finish().View
		shown[mode] = f.Frames.Shown
		t.Logf("%s: shown %d of %d, lost %d", mode, f.Frames.Shown, frames, f.Frames.Lost)
		if mode != "none" && f.Frames.Shown <= shown["none"] {
			t.Errorf("--repair %s shows %d frames, none %d", mode, f.Frames.Shown, shown["none"])
		}
	}
}
