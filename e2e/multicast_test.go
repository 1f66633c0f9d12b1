//go:build linux

package e2e

import (
	"fmt"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// One sender, a switch, three machines that watch, one of them twice; and on one of
// them a viewer of another group on the same port, which must hear nothing.
func TestMulticast(t *testing.T) {
	for name, groups := range map[string][2]string{
		"IPv4": {"239.78.1.1", "239.78.1.2"},
		"IPv6": {"ff15::78:1", "ff15::78:2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			// Other programs may hold the machine for a moment, so one run of three must do.
			for !multicast(t, groups[0], groups[1]) {
				if tries++; tries == 3 {
					t.Fatal("never came 99.9 % of the frames everywhere")
				}
			}
		})
	}
}

// multicast has frames of one group watched by four, and reports whether to each of
// them 99.9 % have come whole. All of these are shown but those that newer ones overtake while
// the machine stands still: five programs decode on it, or ten with the other family's.
func multicast(t *testing.T, group, another string) (ok bool) {
	l := newLAN(t, 4)
	viewers := []*program{
		l.hosts[1].run("view", "--display", "none", "--listen", group),
		l.hosts[2].run("view", "--display", "none", "--from", group), // the same
		l.hosts[3].run("view", "--display", "none", "--listen", group),
		l.hosts[3].run("view", "--display", "none", "--listen", group, "--iface", "fg0"),
	}
	other := l.hosts[1].run("view", "--display", "none", "--listen", another)
	for _, v := range append(viewers, other) {
		v.listening()
	}
	frames := uint64(300)
	if testutil.Long() {
		frames = 600
	}
	sent := l.hosts[0].run("send", "--to", group, "--frames", fmt.Sprint(frames), "--fps", "30").finish().Send.Frames
	if sent.Sent != frames {
		t.Errorf("sent %d frames, want %d", sent.Sent, frames)
	}
	ok = true
	for i, v := range viewers {
		v.interrupt()
		f := v.finish().View
		t.Logf("viewer %d: shown %d, skipped %d, lost %d; datagrams %d, kernel drops %d; %d strangers", i, f.Frames.Shown, f.Frames.Skipped, f.Frames.Lost,
			f.UDP.Datagrams, f.UDP.KernelDrops, f.UDP.Fragments.Dropped["stranger"])
		ok = ok && 1000*f.Frames.Received >= 999*frames
		if testutil.Long() {
			ok = ok && 1000*f.Frames.Shown >= 999*frames
		}
		if f.Frames.Shown+f.Frames.Skipped != f.Frames.Received || 100*f.Frames.Shown < 95*f.Frames.Received {
			t.Errorf("viewer %d: of %d frames that came %d were shown and %d overtaken", i, f.Frames.Received, f.Frames.Shown, f.Frames.Skipped)
		}
	}
	other.interrupt()
	if f := other.finish().View; f.UDP.Datagrams != 0 {
		t.Errorf("a viewer of another group was given %d datagrams", f.UDP.Datagrams)
	}
	other.heard(`nothing received for 3 s`)
	return ok
}
