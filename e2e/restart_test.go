//go:build linux

package e2e

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// resumeWithin is what the program promises after either side was restarted.
const resumeWithin = 2 * time.Second

// way is how frames get from a sender to a viewer: what starts the two.
type way struct{ send, view func() *program }

// ways are all there are.
var ways = map[string]func(*testing.T) way{
	"udp": func(t *testing.T) way {
		at := freePort(t, "udp")
		return way{
			func() *program { return send(t, at) },
			func() *program {
				return start(t, append([]string{"view", "--display", "none", "--listen", at}, jsonStats...)...)
			},
		}
	},
	"udp, the viewer asks": func(t *testing.T) way {
		at := freePort(t, "udp")
		return way{
			func() *program { return start(t, append([]string{"send", "--listen", at}, jsonStats...)...) },
			func() *program {
				return start(t, append([]string{"view", "--display", "none", "--from", at}, jsonStats...)...)
			},
		}
	},
	"tcp, the sender dials": func(t *testing.T) way {
		at := "tcp://" + freePort(t, "tcp")
		return way{
			func() *program { return send(t, at) },
			func() *program {
				return start(t, append([]string{"view", "--display", "none", "--listen", at}, jsonStats...)...)
			},
		}
	},
	"tcp, the viewer dials": func(t *testing.T) way {
		at := "tcp://" + freePort(t, "tcp")
		return way{
			func() *program { return start(t, append([]string{"send", "--listen", at}, jsonStats...)...) },
			func() *program {
				return start(t, append([]string{"view", "--display", "none", "--from", at}, jsonStats...)...)
			},
		}
	},
	"multicast": func(t *testing.T) way {
		l := newLAN(t, 2)
		return way{
			func() *program { return l.hosts[0].run("send", "--to", "239.78.3.1") },
			func() *program { return l.hosts[1].run("view", "--display", "none", "--from", "239.78.3.1") },
		}
	},
}

// freePort is a local address that nobody has now.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen(network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Either side is killed and started again, over and over, and video comes back by
// itself; the other side has not been touched.
func TestRestarts(t *testing.T) {
	t.Parallel()
	for name, make := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			way := make(t)
			viewer, sender := way.view(), way.send()
			viewer.await("first frames", shown(20))
			for round := range restarts() {
				sender.kill()
				time.Sleep(300 * time.Millisecond) // frames on their way are shown still, and then none
				before := viewer.latest().View.Frames.Shown
				began := time.Now()
				sender = way.send()
				f := viewer.await("frame of the restarted sender", shown(before))
				mustResume(t, fmt.Sprintf("round %d, the sender", round), f.at.Sub(began))
				viewer.await("steady stream", shown(f.View.Frames.Shown+20))

				viewer.kill()
				time.Sleep(300 * time.Millisecond) // the sender sends to nobody
				began = time.Now()
				viewer = way.view()
				f = viewer.await("frame at the restarted viewer", shown(0))
				mustResume(t, fmt.Sprintf("round %d, the viewer", round), f.at.Sub(began))
				viewer.await("steady stream", shown(20))
			}
			if sender.ended() {
				t.Error("the sender has ended")
			}
		})
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
