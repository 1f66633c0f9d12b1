package pace

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const (
	packet = 1500 // bytes
	us     = time.Microsecond
)

// left is a chunk that a lane has let go.
type left struct {
	at time.Time
	n  int // packets
}

// run sends a frame of n packets by l from now on, waking up late by what late says.
func run(l *Lane, now time.Time, n int, interval time.Duration, late func() time.Duration) (chunks []left) {
	l.Begin(now, n*packet, interval)
	for n > 0 {
		chunk, due := l.Next(now)
		if due.After(now) {
			now = due.Add(late())
			continue
		}
		chunk = min(chunk, n)
		n -= chunk
		l.Sent(now, chunk*packet)
		chunks = append(chunks, left{now, chunk})
	}
	return chunks
}

func took(chunks []left) time.Duration { return chunks[len(chunks)-1].at.Sub(chunks[0].at) }

func punctual() time.Duration { return 0 }

// jitters are ways to wake up late: as measured on an idle machine, on a busy one, by
// time.Sleep, and with a processor that is gone now and then.
func jitters() map[string]func() time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	return map[string]func() time.Duration{
		"punctual":      punctual,
		"5 µs":          func() time.Duration { return 5 * us },
		"up to 60 µs":   func() time.Duration { return time.Duration(random.IntN(60)) * us },
		"1 ms":          func() time.Duration { return ms },
		"at times 3 ms": func() time.Duration { return time.Duration(random.IntN(10)/9*random.IntN(3000)) * us },
	}
}

// checkWindows fails if over any stretch more left than the limit allows, but for the chunk
// that begins it and the one that a late wake-up makes up for, or more than two chunks at once.
func checkWindows(t *testing.T, chunks []left, limit int64) {
	t.Helper()
	for i := range chunks {
		sum := 0
		for j := i; j < len(chunks); j++ {
			if chunks[j].n > Chunk {
				t.Fatalf("%d datagrams left at once", chunks[j].n)
			}
			sum += chunks[j].n * packet
			within := chunks[j].at.Sub(chunks[i].at)
			allowed := within.Seconds()*float64(limit)/8 + 2*Chunk*packet + 1
			if float64(sum) > allowed {
				t.Fatalf("%d bytes in %d chunks left in %v, want %.0f at most", sum, j-i+1, within, allowed)
			}
		}
	}
}

func TestLaneKeepsItsLimit(t *testing.T) {
	for name, late := range jitters() {
		for _, limit := range []int64{leastRate, 80e6, 800e6, 8e9} {
			for _, strict := range []bool{true, false} {
				most := 200
				if !strict { // what takes a quarter of the time, so that nothing has to be hurried
					most = min(most, int(limit/8/packet/120))
				}
				t.Run(fmt.Sprintf("%s/%s/strict=%t", name, Rate(limit), strict), func(t *testing.T) {
					random := rand.New(rand.NewPCG(1, 2))
					var l Lane
					l.SetLimit(limit, strict)
					now := time.Unix(0, 0)
					var chunks []left
					for range 30 {
						n := 1 + random.IntN(max(most, 1))
						if !strict {
							now = now.Add(33 * ms)
						}
						chunks = append(chunks, run(&l, now, n, 33*ms, late)...)
						now = chunks[len(chunks)-1].at.Add(time.Duration(random.IntN(20)) * ms)
					}
					checkWindows(t, chunks, limit)
				})
			}
		}
	}
}

// A wait that is always a little too long does not slow the frame down.
func TestLaneMakesUpForLateWakeUps(t *testing.T) {
	var l Lane
	l.SetLimit(800e6, true) // a chunk every 120 µs
	d, want := took(run(&l, time.Unix(0, 0), 100*Chunk, time.Second, func() time.Duration { return 100 * us })), 99*120*us
	if d > want+want/20 {
		t.Errorf("100 chunks took %v, want %v", d, want)
	}
}

// After a wait that was much too long two chunks leave at once, not all that are due.
func TestLaneMakesUpForOneChunk(t *testing.T) {
	for _, strict := range []bool{true, false} {
		var l Lane
		l.SetLimit(96e6, strict) // a chunk every ms
		now := time.Unix(0, 0)
		l.Begin(now, 100*packet, 200*ms)
		for i, want := range []int{1, 2, 2} {
			n := 0
			for ; n < 50; n++ {
				if _, due := l.Next(now); due.After(now) {
					break
				}
				l.Sent(now, Chunk*packet)
			}
			if n != want {
				t.Errorf("strict %t: at the %d. time, %d chunks left at once, want %d", strict, i+1, n, want)
			}
			now = now.Add(10 * ms)
		}
	}
}

// What nobody has asked for by a number costs no more than half the time until the next
// frame, nor 50 ms, however large the frame and however late one wakes up.
func TestLaneIsDoneInHalfTheTime(t *testing.T) {
	for name, late := range jitters() {
		for _, limit := range []int64{8e6, 800e6, 8e9} {
			for _, interval := range []time.Duration{0, 8 * ms, 33 * ms, time.Hour} {
				for _, packets := range []int{1, 200, 30_000} {
					var l Lane
					l.SetLimit(limit, false)
					now := time.Unix(0, 0)
					for range 3 {
						latest := time.Duration(0)
						run(&l, now, packets, interval, func() time.Duration {
							d := late()
							latest = max(latest, d)
							return d
						})
						most := max(min(interval/2, MostSpread), leastSpread) + latest
						if l.Spread() > most {
							t.Fatalf("%s: at %s, %d packets took %v of %v, want %v at most", name, Rate(limit), packets, l.Spread(), interval, most)
						}
						now = now.Add(max(interval, most))
					}
				}
			}
		}
	}
}

func TestLaneSpreadsAFrameThatIsTooLargeEvenly(t *testing.T) {
	for interval, gap := range map[time.Duration]time.Duration{32 * ms: 160 * us, 0: leastSpread / 100} {
		var l Lane
		l.SetLimit(8e6, false)
		chunks := run(&l, time.Unix(0, 0), 100*Chunk, interval, punctual)
		for i, c := range chunks {
			if want := time.Duration(i) * gap; (c.at.Sub(chunks[0].at) - want).Abs() > gap+us {
				t.Fatalf("chunk %d of 100 left after %v of %v, want %v", i, c.at.Sub(chunks[0].at), interval/2, want)
			}
		}
	}
}

// What one wake-up that was far too late has cost is spread over the rest of the frame, not
// sent all at once at its end.
func TestLaneHurriesEvenly(t *testing.T) {
	var l Lane
	l.SetLimit(8e6, false)
	n := 0
	chunks := run(&l, time.Unix(0, 0), 100*Chunk, 32*ms, func() time.Duration {
		if n++; n == 20 {
			return 8 * ms
		}
		return 0
	})
	if l.Spread() > 16*ms {
		t.Errorf("the frame took %v, want 16ms at most", l.Spread())
	}
	moments := map[time.Time]int{}
	for _, c := range chunks {
		if moments[c.at]++; moments[c.at] > 2 {
			t.Fatalf("%d chunks left at once after %v", moments[c.at], c.at.Sub(chunks[0].at))
		}
	}
}

// A rate that was asked for is kept however long it takes, and that can be known before.
func TestLaneKeepsAStrictLimitLongerThanAFrame(t *testing.T) {
	var l Lane
	l.SetLimit(8e6, true)
	if d := took(run(&l, time.Unix(0, 0), 200, 33*ms, punctual)); d != 24*12*ms {
		t.Errorf("25 chunks took %v, want 288ms", d)
	}
	if d := l.Expected(200 * packet); d != 300*ms {
		t.Errorf("200 packets are expected to take %v, want 300ms", d)
	}
	l.SetLimit(8e6, false)
	if d := l.Expected(200 * packet); d != 0 {
		t.Errorf("by a limit that is not strict, they are expected to take %v", d)
	}
}

// Chunks that follow one another faster than a wait is worth leave two at a time.
func TestLanePairsWhatIsClose(t *testing.T) {
	var l Lane
	l.SetLimit(8e9, true) // a chunk every 12 µs
	moments := map[time.Time]int{}
	chunks := run(&l, time.Unix(0, 0), 101*Chunk, 33*ms, punctual)
	for _, c := range chunks {
		moments[c.at]++
	}
	if d := took(chunks); len(moments) != 51 || d != 100*12*us {
		t.Errorf("101 chunks left at %d moments in %v, want 51 in 1.2ms", len(moments), d)
	}
	checkWindows(t, chunks, 8e9)
}

func TestLaneWithoutALimitHoldsNothingUp(t *testing.T) {
	var l Lane
	now := time.Unix(0, 0)
	if n, due := l.Next(now); n < 1000 || due.After(now) {
		t.Errorf("the zero Lane lets %d datagrams leave at %v", n, due)
	}
	l.SetLimit(1e6, true)
	run(&l, now, 100, time.Second, punctual)
	l.SetLimit(0, false)
	if chunks := run(&l, now, 1000, time.Second, punctual); len(chunks) != 1 || l.Spread() != 0 {
		t.Errorf("1000 packets left in %v", chunks)
	}
}

// The clock stands still, or has run backwards: no more leaves than a chunk, and nobody is
// asked to wait until after all time.
func TestLaneWithABrokenClock(t *testing.T) {
	var l Lane
	l.SetLimit(80e6, true)
	now := time.Unix(1000, 0)
	for range 10 {
		l.Begin(now, 0, 33*ms)
		if _, due := l.Next(now); !due.After(now) {
			l.Sent(now, Chunk*packet)
		}
	}
	if _, due := l.Next(now); due.Sub(now) != 1200*us {
		t.Errorf("while the clock stands still, the next chunk is due in %v, want 1.2ms", due.Sub(now))
	}
	now = now.Add(-time.Hour)
	l.Begin(now, 100*packet, 33*ms)
	if _, due := l.Next(now); due.Sub(now) > 1200*us {
		t.Errorf("after the clock ran back, the next chunk is due in %v", due.Sub(now))
	}
}

func TestLaneOfOddFrames(t *testing.T) {
	const most = int(^uint(0) >> 1)
	for _, strict := range []bool{true, false} {
		for _, limit := range []int64{-5, 0, 1, 80e6, 1<<63 - 1} {
			for _, bytes := range []int{-1, 0, 1, most} {
				var l Lane
				l.SetLimit(limit, strict)
				now := time.Unix(0, 0)
				for range 3 {
					l.Begin(now, bytes, 33*ms)
					if n, due := l.Next(now); n < 1 || due.Before(now.Add(-ms)) && limit > 0 {
						t.Errorf("strict %t, %d bit/s, %d bytes: %d datagrams may leave at %v", strict, limit, bytes, n, due)
					}
					l.Sent(now, bytes)
					if e := l.Expected(bytes); e < 0 {
						t.Errorf("%d bytes at %d bit/s are expected to take %v", bytes, limit, e)
					}
					if _, due := l.Next(now); !strict && due.Sub(now) > MostSpread {
						t.Errorf("%d bit/s, %d bytes: the rest is due in %v", limit, bytes, due.Sub(now))
					}
					now = now.Add(ms)
				}
			}
		}
	}
}

// A higher limit holds from the next frame on, whatever the lower one would still have had
// to wait for.
func TestLaneTakesAHigherLimitAtOnce(t *testing.T) {
	for _, strict := range []bool{true, false} {
		var l Lane
		l.SetLimit(leastRate, true) // a chunk every 375 ms
		now := time.Unix(0, 0)
		l.Begin(now, packet, 33*ms)
		l.Sent(now, Chunk*packet)
		l.SetLimit(960e6, strict) // every 100 µs
		l.Begin(now, 10*Chunk*packet, 33*ms)
		if _, due := l.Next(now); due.Sub(now) != 100*us {
			t.Errorf("strict %t: the next chunk is due in %v, want 100µs", strict, due.Sub(now))
		}
	}
}

func TestLaneTakesALowerLimitInMidStream(t *testing.T) {
	var l Lane
	l.SetLimit(8e9, true)
	chunks := run(&l, time.Unix(0, 0), 100, 33*ms, punctual)
	l.SetLimit(8e6, true)
	chunks = run(&l, chunks[len(chunks)-1].at, 100, 33*ms, punctual)
	checkWindows(t, chunks, 8e6)
}

func TestLaneSpread(t *testing.T) {
	var l Lane
	l.SetLimit(96e6, true) // a chunk every ms
	run(&l, time.Unix(0, 0), 5*Chunk, time.Second, punctual)
	if l.Spread() != 4*ms {
		t.Errorf("five chunks were spread over %v, want 4ms", l.Spread())
	}
}
