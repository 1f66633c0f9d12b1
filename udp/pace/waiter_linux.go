package pace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Waiter waits until a moment. Its zero value is ready; End must follow the last Until of
// a row, on the same goroutine.
//
// The thread is the goroutine's alone from the first Until that waits to End, because the slack of
// timers (PR_SET_TIMERSLACK in prctl(2), 50 µs by default) is the thread's. Waiting, it holds up no
// other goroutine.
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
