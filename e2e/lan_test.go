//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// host is a machine for the tests: a network namespace.
type host struct {
	t    *testing.T
	name string
}

var hosts atomic.Int32

// newHost makes one that has nothing but lo, and is gone when the test ends.
func newHost(t *testing.T) host {
	t.Helper()
	testutil.NeedRoot(t)
	testutil.Need(t, "ip")
	h := host{t, fmt.Sprintf("fg%d-%d", os.Getpid(), hosts.Add(1))}
	ip(t, "netns", "add", h.name)
	t.Cleanup(func() { ip(t, "netns", "del", h.name) })
	h.ip("link", "set", "lo", "up")
	return h
}

// ip is ip(8) on the host.
func (h host) ip(args ...string) {
	h.t.Helper()
	ip(h.t, append([]string{"-n", h.name}, args...)...)
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// run starts framegram on the host.
func (h host) run(args ...string) *program {
	h.t.Helper()
	return h.runWith(options{}, append(args, jsonStats...)...)
}

// runWith starts framegram on the host as startWith does.
func (h host) runWith(o options, args ...string) *program {
	h.t.Helper()
	o.binary = testutil.Need(h.t, "ip")
	return startWith(h.t, o, append([]string{"netns", "exec", h.name, framegram}, args...)...)
}

// lan is a switch, on a host of its own, and what is plugged into it. Host i has the
// addresses 10.78.0.i+1 and fd78::i+1 on its interface fg0; the switch's end of that
// cable is called port<i>.
type lan struct {
	bridge host
	hosts  []host
}

// newLAN returns when all addresses can be used, IPv6 ones after the duplicate address
// detection that they have on every real machine.
func newLAN(t *testing.T, n int) lan {
	t.Helper()
	l := lan{bridge: newHost(t)}
	l.bridge.ip("link", "add", "br0", "type", "bridge")
	l.bridge.ip("link", "set", "br0", "up")
	for i := range n {
		h, port := newHost(t), fmt.Sprintf("port%d", i)
		l.hosts = append(l.hosts, h)
		ip(t, "link", "add", "fg0", "netns", h.name, "type", "veth", "peer", "name", port, "netns", l.bridge.name)
		l.bridge.ip("link", "set", port, "master", "br0", "up")
		h.ip("addr", "add", fmt.Sprintf("10.78.0.%d/24", i+1), "dev", "fg0")
		h.ip("addr", "add", fmt.Sprintf("fd78::%d/64", i+1), "dev", "fg0")
		h.ip("link", "set", "fg0", "up")
	}
	for _, h := range l.hosts {
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			out, err := exec.Command("ip", "-n", h.name, "-6", "addr", "show", "dev", "fg0", "tentative").CombinedOutput()
			if err != nil {
				t.Fatalf("ip: %v: %s", err, out)
			}
			if len(out) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("duplicate address detection does not end: %s", out)
			}
		}
	}
	return l
}
