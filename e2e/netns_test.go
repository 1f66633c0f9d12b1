//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// cable is two hosts, each a network namespace of its own, with a veth pair between
// them.
type cable struct {
	t     *testing.T
	hosts [2]string
}

func newCable(t *testing.T, mtu int) *cable {
	t.Helper()
	testutil.NeedRoot(t)
	testutil.Need(t, "ip")
	c := &cable{t: t}
	for i := range c.hosts {
		host := fmt.Sprintf("fg%d-%d", os.Getpid(), i)
		c.ip("netns", "add", host)
		t.Cleanup(func() { c.ip("netns", "del", host) })
		c.hosts[i] = host
	}
	c.ip("link", "add", "fg0", "netns", c.hosts[0], "type", "veth", "peer", "name", "fg0", "netns", c.hosts[1])
	for i, host := range c.hosts {
		c.ip("-n", host, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "fg0")
		c.ip("-n", host, "addr", "add", fmt.Sprintf("fd77::%d/64", i+1), "dev", "fg0", "nodad")
		c.ip("-n", host, "link", "set", "lo", "up")
	}
	c.setMTU(mtu)
	return c
}

// setMTU sets it at both ends.
func (c *cable) setMTU(mtu int) {
	c.t.Helper()
	for _, host := range c.hosts {
		c.ip("-n", host, "link", "set", "fg0", "mtu", fmt.Sprint(mtu), "up")
	}
}

func (c *cable) ip(args ...string) {
	c.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		c.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// run starts framegram on one of the hosts.
func (c *cable) run(host int, args ...string) *program {
	c.t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		c.t.Fatal(err)
	}
	args = append(append([]string{"netns", "exec", c.hosts[host], framegram}, args...), jsonStats...)
	return startWith(c.t, options{binary: path}, args...)
}

// The datagrams fit a VPN's MTU without asking, and when it falls while frames are
// sent, smaller ones are cut.
func TestDatagramsFollowTheMTU(t *testing.T) {
	for _, to := range []string{"10.77.0.2", "fd77::2"} {
		t.Run(to, func(t *testing.T) {
			c := newCable(t, 1420)
			viewer := c.run(1, "view", "--display", "none")
			viewer.listening()
			sender := c.run(0, "send", "--to", to, "--size", "640x360")
			f := viewer.await("30 frames", shown(30))
			if f.View.Frames.Lost != 0 {
				t.Errorf("%d frames lost on a clean cable", f.View.Frames.Lost)
			}
			if mtu := sender.latest().Send.Network.MTU; mtu != 1420 {
				t.Errorf("frames are cut for an MTU of %d, want 1420", mtu)
			}
			c.setMTU(1300)
			sender.await("smaller MTU", func(f figures) bool { return f.Send.Network.MTU == 1300 })
			before := viewer.latest().View.Frames
			after := viewer.await("30 more frames", shown(before.Shown+30)).View.Frames
			if lost := after.Lost - f.View.Frames.Lost; lost > 2 { // the frame that hit the new MTU, and one cut before it was known
				t.Errorf("%d frames lost when the MTU fell, want at most 2", lost)
			}
		})
	}
}
