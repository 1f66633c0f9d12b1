package netlab

import (
	"testing"
	"time"
)

func TestLineTakesItsTime(t *testing.T) {
	p := mustParse(t, "rate=8mbit,queue=3000B") // a byte a microsecond
	const us = time.Microsecond
	var l line
	for i, c := range []struct {
		now    time.Duration
		size   int
		sent   time.Duration
		queued int
		room   bool
	}{
		{0, 1000, 1000 * us, 1000, true},
		{0, 1500, 2500 * us, 2500, true},
		{0, 501, 0, 3001, false},
		{0, 500, 3000 * us, 3000, true},
		{0, 20, 0, 3020, false},
		{20 * us, 20, 3020 * us, 3000, true},     // as much as has gone meanwhile
		{5000 * us, 100, 5100 * us, 100, true},   // it was idle, and saved nothing
		{5050 * us, 1500, 6600 * us, 1550, true}, // 50 of the one being sent are left
	} {
		sent, queued, room := l.enter(&p, c.now, c.size)
		if sent != c.sent || queued != c.queued || room != c.room {
			t.Errorf("packet %d: got %v, %d, %v, want %v, %d, %v", i, sent, queued, room, c.sent, c.queued, c.room)
		}
	}
}

// Errors do not add up beyond what is less than a nanosecond each.
func TestLineKeepsTheRate(t *testing.T) {
	for _, text := range []string{"rate=8kbit", "rate=123456789bit", "rate=1gbit", "rate=10gbit"} {
		p := mustParse(t, text)
		var l line
		const n, size = 1_000_000, 1500
		for range n {
			if _, _, room := l.enter(&p, l.free, size); !room {
				t.Fatalf("%s: no room on an empty line", text)
			}
		}
		// Each packet's time is cut to a nanosecond.
		want := time.Duration(float64(n*size*8) / float64(p.Rate) * 1e9)
		if l.free > want || l.free < want-n {
			t.Errorf("%s: a million packets take %v, want %v", text, l.free, want)
		}
	}
}

func TestUnlimitedLineHoldsNothing(t *testing.T) {
	p := mustParse(t, "queue=2000B")
	var l line
	for range 10 {
		if sent, queued, room := l.enter(&p, 5, 1500); sent != 5 || queued != 0 || !room {
			t.Errorf("got %v, %d, %v", sent, queued, room)
		}
	}
}

// Jitter alone never turns two packets around, and a packet that is alone has its own.
func TestJitterKeepsTheOrder(t *testing.T) {
	p := mustParse(t, "delay=10ms,jitter=4ms")
	const ms = time.Millisecond
	var l line
	for i, c := range []struct {
		sent   time.Duration
		jitter float64
		want   time.Duration
	}{{0, 1, 14 * ms}, {1 * ms, -1, 14 * ms}, {2 * ms, 0.75, 15 * ms}, {100 * ms, -1, 106 * ms}, {200 * ms, 0, 210 * ms}} {
		if got := l.delay(&p, c.sent, c.jitter); got != c.want {
			t.Errorf("packet %d: got %v, want %v", i, got, c.want)
		}
	}
}

func TestFIFOGrowsAndTurns(t *testing.T) {
	var q fifo
	in, out := 0, 0
	for round := range 300 {
		for range round % 17 {
			q.push(packet{due: time.Duration(in)})
			in++
		}
		for range min(q.n, (round+5)%13) {
			if p := q.pop(); p.due != time.Duration(out) {
				t.Fatalf("got packet %d, want %d", p.due, out)
			}
			out++
		}
		if q.n != in-out {
			t.Fatalf("%d are in, want %d", q.n, in-out)
		}
	}
	if len(q.ring) <= 64 {
		t.Errorf("a ring of %d for %d: it never grew", len(q.ring), q.n)
	}
}
