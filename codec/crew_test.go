package codec

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type tally struct {
	t     *testing.T
	parts []atomic.Int64
	busy  [maxHands]atomic.Bool
}

func (j *tally) part(hand, i int) {
	if j.busy[hand].Swap(true) {
		j.t.Errorf("hand %d is at two parts at once", hand)
	}
	j.parts[i].Add(1)
	runtime.Gosched()
	j.busy[hand].Store(false)
}

// TestCrewDoesEveryPartOnce runs jobs of all sizes one right after the other, so that
// helpers that wake late meet the next job.
func TestCrewDoesEveryPartOnce(t *testing.T) {
	for _, hands := range []int{1, 2, 3, 8} {
		c := newCrew(hands)
		for round := range 2000 {
			j := &tally{t: t, parts: make([]atomic.Int64, 1+round%9)}
			c.run(j, len(j.parts))
			for i := range j.parts {
				if n := j.parts[i].Load(); n != 1 {
					t.Fatalf("%d hands: part %d of %d was done %d times", hands, i, len(j.parts), n)
				}
			}
		}
		c.close()
	}
}

// meeting is a job of two parts that wait for each other.
type meeting struct{ sync.WaitGroup }

func (m *meeting) part(int, int) { m.Done(); m.Wait() }

// TestCrewWorksAtTheSameTime would hang if it did not.
func TestCrewWorksAtTheSameTime(t *testing.T) {
	c := newCrew(2)
	defer c.close()
	for range 100 {
		m := new(meeting)
		m.Add(2)
		c.run(m, 2)
	}
}

func TestCrewLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		c := newCrew(4)
		c.run(&tally{t: t, parts: make([]atomic.Int64, 4)}, 4)
		c.close()
	}
	noneLeft(t, before)
	if c := newCrew(0); c.hands < 1 || c.hands > maxHands {
		t.Errorf("%d hands", c.hands)
	} else {
		c.close()
	}
}

// noneLeft waits until there are no more goroutines than before: one that has said
// that it ends may be counted for a moment.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
