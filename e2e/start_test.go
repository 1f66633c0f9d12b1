//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// Where no frame of the first size gets through whole, behind a link of 10 Mbit/s with a queue for less than a
// frame or one that loses 30 % of the datagrams, there is a picture all the same: whether the viewer is sent to or
// asks.
func TestStartWhereTheFirstFramesDoNotFit(t *testing.T) {
	for _, link := range []string{"shallow queue", "30 % loss"} {
		for _, connect := range []string{"push", "subscribe"} {
			t.Run(link+", "+connect, func(t *testing.T) {
				t.Parallel()
				l := newLAN(t, 2)
				if link == "shallow queue" {
					l.bridge.tc("add", "dev", "port1", "root", "tbf", "rate", "10mbit", "burst", "3kb", "limit", "48kb")
				} else {
					l.hosts[1].lose(30)
				}
				dir := t.TempDir()
				sent, got := filepath.Join(dir, "sent"), filepath.Join(dir, "shown")
				var viewer, sender *program
				// Without offload: a packet filter would lose a train of datagrams as one.
				if connect == "push" {
					viewer = l.hosts[1].run("view", "--display", "none", "--trace", got)
					viewer.listening()
					sender = l.hosts[0].run("send", "--to", "10.78.0.2", "--offload", "off", "--trace", sent)
				} else {
					sender = l.hosts[0].run("send", "--listen", "10.78.0.1", "--offload", "off", "--trace", sent)
					sender.heard(`serving .* on (\S+) over udp`)
					viewer = l.hosts[1].run("view", "--from", "10.78.0.1:5600", "--display", "none", "--trace", got)
				}
				viewer.await("picture", shown(30))
				if !testutil.Long() {
					return
				}
				time.Sleep(10 * time.Second)
				viewer.interrupt()
				viewer.finish()
				sender.interrupt()
				sender.finish()
				judgeStart(t, connect, traced(t, sent), traced(t, got))
			})
		}
	}
}

// judgeStart asks for the first picture within a second of the first datagram's way, and for 60 % of the frames due
// from then on.
func judgeStart(t *testing.T, connect string, sent, shown []tracedFrame) {
	if len(sent) == 0 || len(shown) == 0 {
		t.Fatalf("%d frames sent and %d shown", len(sent), len(shown))
	}
	began := sent[0].Captured
	if connect == "subscribe" { // the viewer came later
		began = shown[0].Captured
	}
	first := time.Duration(shown[0].Decoded-began) * time.Microsecond
	length := time.Duration(shown[len(shown)-1].Captured-began) * time.Microsecond
	due := int(length * 30 / time.Second)
	t.Logf("first picture after %v, %d of %d frames due shown in %v", first, len(shown), due, length)
	if first > time.Second {
		t.Errorf("the first picture is shown after %v", first)
	}
	if 10*len(shown) < 6*due {
		t.Errorf("%d of %d frames due are shown", len(shown), due)
	}
}

// tracedFrame is a line of --trace.
type tracedFrame struct {
	Captured int64 `json:"captured"`
	Decoded  int64 `json:"decoded"`
}

// traced are the frames of a trace; a viewer's that were overtaken are left out.
func traced(t *testing.T, path string) (all []tracedFrame) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var f tracedFrame
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if f.Decoded != 0 || !strings.HasSuffix(path, "shown") {
			all = append(all, f)
		}
	}
	return all
}

// Of a stream of which nothing gets through whole a viewer says why there is no picture.
func TestViewerSaysWhyThereIsNoPicture(t *testing.T) {
	t.Parallel()
	l := newLAN(t, 2)
	l.hosts[1].lose(95)
	viewer := l.hosts[1].run("view", "--display", "none")
	viewer.listening()
	l.hosts[0].run("send", "--to", "10.78.0.2", "--offload", "off", "--size", "1920x1080", "--bitrate", "off")
	viewer.heard(`(datagrams arrive at [0-9.e+]+ of [0-9.e+]+ Mbit/s, no frame complete)`)
}
