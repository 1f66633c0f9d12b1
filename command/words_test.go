package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/udp"
)

func TestSummaryTellsWhatBecameOfEveryFrame(t *testing.T) {
	f := &figures{Final: true, Role: "view", Elapsed: 10, View: &viewFigures{
		FPS: 29.5, Mbit: 16.2,
		Frames:    viewFrames{Received: 296, Shown: 295, Skipped: 1, Lost: 4},
		LatencyMS: &latencyFigures{P50: 3.14, P99: 5, Max: 9.96, Count: 295},
		inFigures: inFigures{UDP: &udp.ReceiverStats{KernelDrops: 7, Fragments: fragment.Counters{Missing: 12, Dropped: fragment.Dropped{Malformed: 2}}}},
	}}
	want := "shown 295 of 300 frames (98.3 %), 29.5 fps, 16.2 Mbit/s, latency 3.1 ms if the clocks are equal (p99 5.0, max 10.0) " +
		"[frames lost 4, frames skipped 1, datagrams missing 12, dropped by this machine's kernel 7, malformed 2]"
	if got := summary(f); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.View = &viewFigures{inFigures: inFigures{UDP: &udp.ReceiverStats{Datagrams: 5, Fragments: fragment.Counters{Dropped: fragment.Dropped{OtherVersion: 5}}}}}
	if got, want := summary(f), "no frame was received (5 datagrams) [of another version 5]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSendSummary(t *testing.T) {
	f := &figures{Role: "send", Elapsed: 2, Send: &sendFigures{
		FPS: 30, Mbit: 20, Frames: sendFrames{Captured: 62, Sent: 60, Skipped: 1, TooLarge: 1},
		Capture:    capture.Stats{Damaged: 3},
		outFigures: outFigures{UDP: &udp.SenderStats{Failed: 9, To: []udp.DestinationStats{{Addr: "10.0.0.2:5600", Unsent: 9}, {Addr: "10.0.0.3:5600", Refused: 2}}}},
	}}
	want := "sent 60 frames in 2.0 s (30.0 fps, 20.0 Mbit/s) to 2 addresses [frames skipped 1, frames over the limit 1, pictures damaged 3, datagrams unsent 9, refusals 2]"
	if got := summary(f); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What has become of the pictures stands in the status line, the log and the summary, of a demo too.
func TestKeptBitRateIsTold(t *testing.T) {
	s := &sendFigures{Rate: &rate.Stats{Quality: 65, Scale: 75, Every: 1, Rate: 18e6, LeftOut: 7}}
	for _, f := range []*figures{{Role: "send", Send: s}, {Role: "demo", Send: s, View: &viewFigures{}}} {
		if got := strings.Join(status(f), ", "); !strings.Contains(got, "q65 x0.75 18 Mbit/s") {
			t.Errorf("%s: the status is %s", f.Role, got)
		}
		if got := fmt.Sprint(attributes(f)); !strings.Contains(got, "rate=q65 x0.75 18 Mbit/s") || !strings.Contains(got, "left_out_to_keep_the_bit_rate=7") {
			t.Errorf("%s: the log line is %s", f.Role, got)
		}
		if got := summary(f); !strings.Contains(got, "left out to keep the bit rate 7") {
			t.Errorf("%s: the summary is %s", f.Role, got)
		}
	}
	if got := fmt.Sprint(status(&figures{Role: "send", Send: &sendFigures{Rate: &rate.Stats{Scale: 100, Every: 1}}})); strings.Contains(got, "q0") {
		t.Errorf("of pictures that pass untouched: %s", got)
	}
}

func TestLatencies(t *testing.T) {
	l := newLatencies()
	if l.take(wholeRun) != nil || l.take(lastPrint) != nil {
		t.Error("figures of nothing")
	}
	for i := range 100 {
		l.record(time.Duration(i+1) * time.Millisecond)
	}
	got := l.take(lastPrint)
	if got.Count != 100 || got.P50 < 49 || got.P50 > 51 || got.P99 < 98 || got.P99 > 100 || got.Max < 99 || got.Max > 101 {
		t.Errorf("got %+v of 1..100 ms", got)
	}
	if l.take(lastPrint) != nil || l.take(wholeRun).Count != 100 || l.take(lastPage).Count != 100 {
		t.Error("a span was not begun anew, or another one was")
	}
	for range 30 {
		l.record(-time.Hour)
	}
	if got := latencyWords(l.take(lastPrint)); got != "latency unknown: the clocks differ" {
		t.Errorf("got %q", got)
	}
	l.record(5 * time.Millisecond) // the clocks have been set
	if got := latencyWords(l.take(lastPrint)); got != "latency 5.0 ms if the clocks are equal" {
		t.Errorf("got %q once the clocks agree", got)
	}
	l.record(time.Hour)
	if got := l.take(wholeRun); got.Count != 102 || got.Negative != 30 || got.Max < 59_000 {
		t.Errorf("got %+v", got)
	}
}

func TestRates(t *testing.T) {
	start := time.Now()
	r := rates{at: start, frames: 10, size: 1000}
	if fps, mbit := r.next(start.Add(2*time.Second), 70, 1000+2_500_000); fps != 30 || mbit != 10 {
		t.Errorf("got %v fps, %v Mbit/s, want 30 and 10", fps, mbit)
	}
	if fps, _ := r.next(start.Add(2*time.Second), 70, 0); fps != 0 {
		t.Errorf("got %v fps in no time", fps)
	}
}

func TestPageFigures(t *testing.T) {
	s := &session{}
	if s.pageFigures() != nil {
		t.Error("figures before there are any")
	}
	s.latest.Store(&figures{View: &viewFigures{FPS: 30, LatencyMS: &latencyFigures{P50: 2.5}, Frames: viewFrames{Lost: 3},
		inFigures: inFigures{UDP: &udp.ReceiverStats{Fragments: fragment.Counters{Lost: 3}}}}})
	page, err := json.Marshal(s.pageFigures())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"fps":30`, `"latency_ms":2.5`, `"lost":{"never seen":3}`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s lacks %s", page, want)
		}
	}
}

func TestConsoleWithoutTerminal(t *testing.T) {
	var b bytes.Buffer
	c := newConsole(&b)
	c.setStatus([]string{"fleeting"})
	c.say("kept")
	c.close()
	if b.String() != "kept\n" {
		t.Errorf("got %q: a status line is for terminals", b.String())
	}
}

func TestStatusLineKeepsWholeNumbers(t *testing.T) {
	parts := []string{"view: 30.0 fps", "ä 20.1 Mbit/s", "frames lost 17"}
	for width, want := range map[int]string{
		10: "", 14: "view: 30.0 fps", 29: "view: 30.0 fps", 30: "view: 30.0 fps | ä 20.1 Mbit/s", 80: "view: 30.0 fps | ä 20.1 Mbit/s | frames lost 17",
	} {
		if got := fit(parts, width); got != want {
			t.Errorf("in %d columns: got %q, want %q", width, got, want)
		}
	}
}

// The names of our packages tell a user nothing; what else has a colon stays.
func TestErrorsDoNotBeginWithAPackage(t *testing.T) {
	for text, want := range map[string]string{
		"capture: no file matches \"x\"":           "no file matches \"x\"",
		"udp: it is closed\ndisplay: disk is full": "it is closed; disk is full",
		"--to \"x\": no address found":             "--to \"x\": no address found",
		"tcp://screen: refused":                    "tcp://screen: refused",
	} {
		if got := oneLine(errors.New(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWhoHeardNothingIsToldWhatToLookAt(t *testing.T) {
	for _, f := range []*figures{
		{Role: "view", View: &viewFigures{inFigures: inFigures{UDP: &udp.ReceiverStats{}}}},
		{Role: "relay", Relay: &relayFigures{In: inFigures{UDP: &udp.ReceiverStats{}}}},
	} {
		if got := summary(f); !strings.Contains(got, "is the sender running") {
			t.Errorf("%s: got %s", f.Role, got)
		}
	}
}
