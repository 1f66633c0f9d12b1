package pace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Waiter waits until a moment. Its zero value is ready; End must follow the last Until of
// a row, on the same goroutine.
//
// How much later it was than asked, and what a wait cost of a processor, for waits of 118 µs (a
// chunk at 800 Mbit/s) on a virtual machine with 2 processors, Linux 6.18 and Go 1.26 that had other work
// to do as well; the median of 5 runs of BenchmarkWays, whose names these are:
//
//	                                   p50      p90      p99      CPU
//	time.Sleep                      955 µs   990 µs  1346 µs    49 µs
//	time.Timer                      962 µs   990 µs  1153 µs    39 µs
//	nanosleep                        56 µs    62 µs   116 µs    16 µs
//	nanosleep-locked                 55 µs    58 µs    72 µs    14 µs
//	nanosleep-locked-exact          5.4 µs   7.7 µs    27 µs    10 µs
//	nanosleep-exact                 6.6 µs    11 µs    32 µs    13 µs
//	ppoll-locked-exact              5.8 µs   7.1 µs    21 µs    10 µs
//	timerfd                         6.0 µs    11 µs    47 µs    11 µs
//	nanosleep-locked-exact-spin20us 0.1 µs   0.2 µs     9 µs    27 µs
//	nanosleep-locked-exact-spin60us 0.1 µs   0.1 µs    26 µs    62 µs
//
// So it is nanosleep-locked-exact: clock_nanosleep(2) until an absolute time, with a timer slack of
// 1 ns instead of 50 µs (PR_SET_TIMERSLACK in prctl(2)). The slack is the thread's, and threads begun by it
// inherit it for good, so the thread is the goroutine's alone (Go has another one begin threads then) from the
// first Until that waits to End. Waiting, it holds up no other goroutine. Spinning costs several times as
// much for microseconds that a [Lane] makes up for; a timerfd does as well, for a file descriptor more.
// With a goroutine that keeps one of two processors busy it is late by the same, but for one time in a
// hundred, when it waits for a processor as all others do: 19..80 µs, at worst milliseconds.
type Waiter struct {
	held bool
}

// Until returns at t, or after 50 ms if that is sooner.
func (w *Waiter) Until(t time.Time) {
	d := min(time.Until(t), longestWait)
	if d <= 0 {
		return
	}
	if !w.held {
		runtime.LockOSThread()
		unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns; without it, the wait is longer and no less right
		w.held = true
	}
	var at unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at)
	at = unix.NsecToTimespec(at.Nano() + d.Nanoseconds())
	for wait := err == nil; wait; wait = err == unix.EINTR { // an absolute time, so that a signal does not prolong it
		err = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil)
	}
	if err != nil { // forbidden, by a filter of system calls
		time.Sleep(d)
	}
}

// End gives the thread back as it was.
func (w *Waiter) End() {
	if w.held {
		unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // 0 is the default again
		runtime.UnlockOSThread()
		w.held = false
	}
}
