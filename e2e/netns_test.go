//go:build linux

package e2e

import (
	"fmt"
	"testing"
)

// cable is two hosts with a veth pair between them.
type cable struct{ hosts [2]host }

func newCable(t *testing.T, mtu int) *cable {
	t.Helper()
	c := &cable{[2]host{newHost(t), newHost(t)}}
	ip(t, "link", "add", "fg0", "netns", c.hosts[0].name, "type", "veth", "peer", "name", "fg0", "netns", c.hosts[1].name)
	for i, h := range c.hosts {
		h.ip("addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "fg0")
		h.ip("addr", "add", fmt.Sprintf("fd77::%d/64", i+1), "dev", "fg0", "nodad")
	}
	c.setMTU(mtu)
	return c
}

// setMTU sets it at both ends.
func (c *cable) setMTU(mtu int) {
	for _, h := range c.hosts {
		h.ip("link", "set", "fg0", "mtu", fmt.Sprint(mtu), "up")
	}
}

// The datagrams fit a VPN's MTU without asking, and when it falls while frames are
// sent, smaller ones are cut.
func TestDatagramsFollowTheMTU(t *testing.T) {
	for _, to := range []string{"10.77.0.2", "fd77::2"} {
		t.Run(to, func(t *testing.T) {
			c := newCable(t, 1420)
			viewer := c.hosts[1].run("view", "--display", "none")
			viewer.listening()
			sender := c.hosts[0].run("send", "--to", to, "--size", "640x360")
			f := viewer.await("30 frames", shown(30))
			if f.View.Frames.Lost != 0 {
				t.Errorf("%d frames lost on a clean cable", f.View.Frames.Lost)
			}
			if mtu := sender.latest().Send.UDP.MTU; mtu != 1420 {
				t.Errorf("frames are cut for an MTU of %d, want 1420", mtu)
			}
			c.setMTU(1300)
			sender.await("smaller MTU", func(f figures) bool { return f.Send.UDP.MTU == 1300 })
			before := viewer.latest().View.Frames
			after := viewer.await("30 more frames", shown(before.Shown+30)).View.Frames
			if lost := after.Lost - f.View.Frames.Lost; lost > 2 { // the frame that hit the new MTU, and one cut before it was known
				t.Errorf("%d frames lost when the MTU fell, want at most 2", lost)
			}
		})
	}
}
