package netlab

import (
	"errors"
	"math"
	"testing"
	"time"
)

// A full line carries the one rate before and after, and the other between, each to
// the packet.
func TestSqueezeChangesTheRate(t *testing.T) {
	p := mustParse(t, "rate=100mbit,queue=100MB,squeeze=20mbit@5s+10s")
	const first, size = 700 * time.Millisecond, 1500
	l := line{first: first}
	var carried [4]int // bytes, by phase
	borders := []time.Duration{5 * time.Second, 15 * time.Second, 20 * time.Second}
	for now := first; ; {
		sent, _, room := l.enter(&p, now, size)
		if !room {
			t.Fatal("no room on an empty line")
		}
		now = sent
		phase := 0
		for phase < len(borders) && sent-first > borders[phase] {
			phase++
		}
		if phase == 3 {
			break
		}
		carried[phase] += size
	}
	for phase, want := range []int{100e6 * 5 / 8, 20e6 * 10 / 8, 100e6 * 5 / 8} {
		if math.Abs(float64(carried[phase]-want)) > 2*size {
			t.Errorf("phase %d carries %d bytes, want %d", phase, carried[phase], want)
		}
	}
}

// The packet that is on the line when the rate changes takes the one rate for what
// has left, the other for the rest; and what is queued is counted by both.
func TestSqueezeDividesAPacket(t *testing.T) {
	p := mustParse(t, "rate=8mbit,queue=3000B,squeeze=800kbit@1ms+1ms") // 1 byte/µs, then 0.1
	const us = time.Microsecond
	var l line
	for i, c := range []struct {
		now    time.Duration
		size   int
		sent   time.Duration
		queued int
	}{
		{500 * us, 550, 1500 * us, 550},  // 500 before, 50 in half of the squeeze
		{500 * us, 100, 2050 * us, 650},  // 50 in the other half, 50 after
		{1500 * us, 200, 2250 * us, 300}, // behind those 100
		{3000 * us, 1000, 4000 * us, 1000},
	} {
		if sent, queued, room := l.enter(&p, c.now, c.size); sent != c.sent || queued != c.queued || !room {
			t.Errorf("packet %d: got %v, %d, %v, want %v, %d", i, sent, queued, room, c.sent, c.queued)
		}
	}
	var short line // a squeeze that begins and ends within one packet
	p = mustParse(t, "rate=8mbit,squeeze=800kbit@100ms+1ms")
	if sent, _, _ := short.enter(&p, 99_500*us, 1500); sent != 101_900*us {
		t.Errorf("got %v, want 101.9ms", sent)
	}
}

func TestParseSqueeze(t *testing.T) {
	p := mustParse(t, "rate=100mbit, SQUEEZE = 20Mbit @ 5s + 1500ms ,loss=1%")
	if want := (Squeeze{20e6, 5 * time.Second, 1500 * time.Millisecond}); p.Squeeze != want {
		t.Errorf("got %+v", p.Squeeze)
	}
	const canonical = "rate=100mbit,delay=0ns,jitter=0ns,loss=1%,burst=1,reorder=0%,duplicate=0%,queue=250kB,mtu=1500,seed=1,squeeze=20mbit@5s+1.5s"
	if p.String() != canonical || mustParse(t, canonical).String() != canonical {
		t.Errorf("got %v", p)
	}
	if p := mustParse(t, "lan,squeeze=none"); p.Squeeze != (Squeeze{}) {
		t.Errorf("got %+v", p.Squeeze)
	}
	sweep, err := ParseSweep("squeeze=none,20mbit@5s+10s")
	if err != nil || sweep.String() != "squeeze=none,20mbit@5s+10s" {
		t.Errorf("got %v, %v", sweep, err)
	}
}

// The error points at the rate, at the time or at the length, whichever is wrong.
func TestSqueezeErrorsPointAtTheirPart(t *testing.T) {
	for text, want := range map[string]string{
		"rate=1gbit,squeeze=20@5s+10s":                     "20",
		"rate=1gbit,squeeze=20mbit@5+10s,loss=1%":          "5",
		"rate=1gbit,squeeze= 20mbit@5s+10mbit":             "10mbit",
		"rate=1gbit,squeeze=20mbit@5s+":                    "",
		"rate=1gbit,squeeze=20mbit":                        "20mbit",
		"rate=1gbit,squeeze=20mbit@5s":                     "20mbit@5s",
		"rate=1gbit,squeeze=":                              "",
		"rate=1gbit,squeeze=2gbit@5s+10s,loss=1%":          "squeeze=2gbit@5s+10s",
		"rate=1gbit,squeeze=20mbit@2h+10s":                 "2h",
		"rate=1gbit,squeeze=20mbit@3601s+10s":              "squeeze=20mbit@3601s+10s",
		"rate=1gbit,squeeze=20mbit@5s+0":                   "squeeze=20mbit@5s+0",
		"delay=1ms,squeeze=20mbit@5s+10s":                  "squeeze=20mbit@5s+10s",
		"rate=1gbit,squeeze=1mbit@0+1s,squeeze=1mbit@0+1s": "squeeze=1mbit@0+1s",
	} {
		_, err := Parse(text)
		var wrong *ParseError
		if !errors.As(err, &wrong) {
			t.Errorf("%q: got %v", text, err)
			continue
		}
		checkError(t, text, err)
		if part := text[wrong.Start:wrong.End]; part != want {
			t.Errorf("%q: points at %q: %v", text, part, err)
		}
	}
	_, err := ParseSweep("squeeze=none,20mbit@5+10s")
	var wrong *ParseError
	if !errors.As(err, &wrong) || wrong.Text[wrong.Start:wrong.End] != "5" {
		t.Errorf("got %v", err)
	}
}
