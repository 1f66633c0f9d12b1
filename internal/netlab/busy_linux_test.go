package netlab

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// What a link does in time can be measured only while the machine lets it. So there are
// two kinds of bounds: those that hold however busy the machine is (no packet before its
// time, none faster than the rate, none lost), and those of how late packets are, which
// count only against a quiet machine. What is exact is proved of the arithmetic, with
// times that are given (line_test.go, squeeze_test.go).

// busyness is how late a thread wakes up that sleeps as a forwarder does and has nothing
// else to do.
type busyness struct {
	stop atomic.Bool
	done chan []time.Duration
}

func watchBusyness() *busyness {
	b := &busyness{done: make(chan []time.Duration, 1)}
	onThread(func() {
		beQuick()
		var late []time.Duration
		for !b.stop.Load() {
			const pause = 200 * time.Microsecond
			timeout := unix.NsecToTimespec(int64(pause))
			before := time.Now()
			unix.Ppoll(nil, &timeout, nil)
			late = append(late, time.Since(before)-pause)
		}
		b.done <- late
	})
	return b
}

// end returns how late one wake-up in ten was, or later.
func (b *busyness) end() time.Duration {
	b.stop.Store(true)
	late := <-b.done
	slices.Sort(late)
	return late[len(late)*9/10]
}

// quiet is how late that thread, or a forwarder, may be on a machine that has time for us.
const quiet = 500 * time.Microsecond

// undisturbed repeats a measurement until it is good. It fails, in make test-long, when one was bad
// three times while nobody was late, or five times while only our forwarder was; of what was
// bad because the machine was busy it only tells. In make test, where other packages' tests and compilers run
// beside it, it tells of all of these. What holds regardless is for the
// measurement itself to demand. It returns how late its forwarder was, and what was bad.
func undisturbed(t *testing.T, measure func() (time.Duration, error)) {
	t.Helper()
	quietly, ours := 0, 0
	for range 5 {
		watch := watchBusyness()
		forwarder, err := measure()
		machine := watch.end()
		if err == nil {
			return
		}
		if machine <= quiet {
			if ours++; forwarder <= quiet {
				quietly++
			}
		}
		if testutil.Long() && (quietly == 3 || ours == 5) {
			t.Fatal(err)
		}
		t.Logf("%v; a thread that only sleeps was late by %v, the forwarder by %v", err, machine, forwarder)
	}
	t.Log("the machine is too busy for more than the bounds that always hold")
}
