package codec

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// maxHands bounds a crew: a picture has no more strips worth a core each.
const maxHands = 16

// crew does the parts of one job at a time on several cores: the caller's goroutine
// and helpers that sleep in between. A part that waits for no core is taken by
// whoever is free, so that a helper that wakes late costs nothing. It allocates
// nothing from job to job.
type crew struct {
	hands int // who can work at once, the caller included

	job  job
	n    int           // parts
	left atomic.Int64  // parts nobody has taken
	open atomic.Int64  // parts not done
	done chan struct{} // open has become 0
	wake chan struct{}
	gone sync.WaitGroup // helpers
}

// job has parts that can be done in any order and at the same time. hand, from 0 on,
// is who does it; nobody else is the same hand at that time.
type job interface {
	part(hand, i int)
}

// newCrew starts hands-1 helpers; zero means as many hands as there are cores.
func newCrew(hands int) *crew {
	if hands == 0 {
		hands = runtime.GOMAXPROCS(0)
	}
	c := &crew{hands: min(hands, maxHands), done: make(chan struct{}, 1)}
	c.wake = make(chan struct{}, c.hands)
	for hand := 1; hand < c.hands; hand++ {
		c.gone.Go(func() {
			for range c.wake {
				c.work(hand)
			}
		})
	}
	return c
}

// run returns when the parts 0 to n-1 of j are done. n is at least 1.
func (c *crew) run(j job, n int) {
	c.job, c.n = j, n
	c.open.Store(int64(n))
	c.left.Store(int64(n)) // from here on a helper that comes late from the last job may take part, too
	for range min(n, c.hands) - 1 {
		select {
		case c.wake <- struct{}{}:
		default: // as many as there are helpers are being woken already
		}
	}
	c.work(0)
	<-c.done
	c.job = nil
}

// work takes parts, in order, until there are none. job and n are read only by who
// holds a part: they cannot change before it is done.
func (c *crew) work(hand int) {
	for {
		left := c.left.Add(-1)
		if left < 0 {
			return
		}
		c.job.part(hand, c.n-1-int(left))
		if c.open.Add(-1) == 0 {
			c.done <- struct{}{}
		}
	}
}

// close waits for the helpers to end. A nil crew has none.
func (c *crew) close() {
	if c != nil {
		close(c.wake)
		c.gone.Wait()
	}
}
