package command

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp"
)

const (
	stalledWhat = "datagrams arrive at 9.4 of 21 Mbit/s, no frame complete"
	stalledText = stalledWhat + ": the network loses more than can be repaired"
)

func stalledFigures() (view, relay *figures) {
	in := inFigures{UDP: &udp.ReceiverStats{Datagrams: 812, Stalled: stalledText}, reason: stalledText}
	view = &figures{Role: "view", View: &viewFigures{Mbit: 9.41, inFigures: in}}
	return view, &figures{Role: "relay", Relay: &relayFigures{In: in}}
}

// Whoever looks at a viewer or a relay that hears a stream and completes no frame is told why, and not that it waits
// for a sender.
func TestStalledIsTold(t *testing.T) {
	view, relay := stalledFigures()
	for f, want := range map[*figures]string{
		view: "view: no frame complete | 9.4 Mbit/s", relay: "relay: no frame complete",
	} {
		if got := fit(status(f), 80); got != want {
			t.Errorf("the status is %q, want %q", got, want)
		}
		if got := f.stalled(); got != stalledText {
			t.Errorf("%s: the note below the status line is %q, want %q", f.Role, got, stalledText)
		}
		if got := fmt.Sprint(attributes(f)); !strings.Contains(got, "stalled="+stalledWhat+"]") {
			t.Errorf("%s: the log line is %s", f.Role, got)
		}
		if got, want := summary(f), "no frame was received (812 datagrams): "+stalledText; !strings.Contains(got, want) {
			t.Errorf("%s: the summary is %s, want %s", f.Role, got, want)
		}
		line, err := json.Marshal(f)
		if err != nil || !strings.Contains(string(line), `"stalled":"`+stalledText+`"`) {
			t.Errorf("%s: --stats json prints %s, %v", f.Role, line, err)
		}
		s := &session{}
		s.latest.Store(f)
		if got := s.stalled(); got != stalledText {
			t.Errorf("%s: the window shows %q", f.Role, got)
		}
	}
	s := &session{}
	if got := s.stalled(); got != "" {
		t.Errorf("the window shows %q before there are figures", got)
	}
	s.latest.Store(view)
	page, err := json.Marshal(s.pageFigures())
	if err != nil || !strings.HasSuffix(string(page), `"stalled":"`+stalledText+`"}`) {
		t.Errorf("the page shows %s, %v", page, err)
	}
}

// While frames are shown, concealed ones, the status line begins as ever; once a frame was received the summary tells
// of frames.
func TestStalledWhileFramesAreShown(t *testing.T) {
	view, relay := stalledFigures()
	view.View.FPS, view.View.Frames = 12, viewFrames{Received: 40, Shown: 40}
	view.View.UDP.Fragments.Concealed = 40
	relay.Relay.FPS, relay.Relay.Frames = 12, relayFrames{Received: 40, Sent: 40}
	relay.Relay.In.UDP.Fragments.Concealed = 40
	for _, f := range []*figures{view, relay} {
		if got, want := status(f)[0], f.Role+": 12.0 fps"; got != want {
			t.Errorf("the status begins with %q, want %q", got, want)
		}
		if got := summary(f); strings.Contains(got, "no frame was received") || strings.Contains(got, stalledText) {
			t.Errorf("%s: the summary is %s", f.Role, got)
		}
	}
}

func TestNothingStalled(t *testing.T) {
	for _, f := range []*figures{
		{Role: "view", View: &viewFigures{inFigures: inFigures{UDP: &udp.ReceiverStats{}}}},
		{Role: "relay", Relay: &relayFigures{In: inFigures{UDP: &udp.ReceiverStats{}}}},
	} {
		if got, want := fit(status(f), 80), f.Role+": waiting for a sender"; got != want || f.stalled() != "" {
			t.Errorf("the status is %q with the note %q, want %q", got, f.stalled(), want)
		}
		if got := fmt.Sprint(attributes(f)); strings.Contains(got, "stalled") {
			t.Errorf("%s: the log line is %s", f.Role, got)
		}
		if line, err := json.Marshal(f); err != nil || strings.Contains(string(line), `stalled`) {
			t.Errorf("%s: --stats json prints %s, %v", f.Role, line, err)
		}
	}
	if got := (&figures{Role: "send", Send: &sendFigures{}}).stalled(); got != "" {
		t.Errorf("a sender has the note %q", got)
	}
}

// A sender of which one datagram of each frame is lost is told of while it sends, and still in the summary when it has
// left.
func TestReasonOutlivesTheSender(t *testing.T) {
	t.Parallel()
	r, err := udp.Listen(udp.ReceiverConfig{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := newInboundUDP(r)
	conn, err := net.Dial("udp", r.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cut, err := fragment.NewSplitter(1024)
	if err != nil {
		t.Fatal(err)
	}
	frame, sequence := uint32(0), uint64(0)
	send := func() {
		all, err := cut.Split(frame, time.Now().UnixMicro(), make([]byte, 5*1024))
		if err != nil {
			t.Fatal(err)
		}
		cut.Stamp(0, len(all), 7, sequence)
		frame, sequence = frame+1, sequence+uint64(len(all))
		for i, d := range all {
			if i == 2 {
				continue
			}
			if _, err := conn.Write(append(append([]byte(nil), d.Header...), d.Payload...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stalled := func() bool {
		f := in.stats()
		return f.stalled() != ""
	}
	const patience = time.Minute
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(patience)
	for ; !stalled(); <-tick.C {
		if send(); time.Now().After(end) {
			t.Fatal("nothing is said of a stream that completes no frame")
		}
	}
	for ; stalled(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the stream is still told of though nothing comes any more")
		}
	}
	f := &figures{Role: "view", View: &viewFigures{inFigures: in.stats()}}
	got := summary(f)
	if !strings.Contains(got, "datagrams): datagrams arrive at ") || !strings.Contains(got, "no frame complete") {
		t.Errorf("the summary is %s", got)
	}
	if got := status(f)[0]; got != "view: waiting for a sender" {
		t.Errorf("the status begins with %q", got)
	}
}
