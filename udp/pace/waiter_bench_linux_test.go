package pace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// systemWays are those that Linux has. Without a lock, every wait may be another thread's.
func systemWays() []way {
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		panic(err)
	}
	fdUntil := func(at time.Time) { timerfdUntil(timer, at) }
	exact := func(wait func(time.Time)) func(time.Time) {
		return func(at time.Time) { setSlack(1); wait(at); setSlack(0) }
	}
	return []way{
		{"nanosleep", nothing, nothing, nanosleepUntil},
		{"nanosleep-locked", runtime.LockOSThread, runtime.UnlockOSThread, nanosleepUntil},
		{"nanosleep-locked-exact", lockExact, unlockExact, nanosleepUntil},
		{"ppoll-locked-exact", lockExact, unlockExact, ppollUntil},
		{"timerfd", nothing, nothing, fdUntil},
		{"timerfd-locked", runtime.LockOSThread, runtime.UnlockOSThread, fdUntil},
		{"nanosleep-locked-exact-spin20us", lockExact, unlockExact, spinFor(20 * time.Microsecond)},
		{"nanosleep-locked-exact-spin60us", lockExact, unlockExact, spinFor(60 * time.Microsecond)},
		// The last, since threads that it begins inherit its slack for good, and so would what is measured after it.
		{"nanosleep-exact", nothing, nothing, exact(nanosleepUntil)},
	}
}

func setSlack(ns uintptr) { unix.Prctl(unix.PR_SET_TIMERSLACK, ns, 0, 0, 0) }
func lockExact()          { runtime.LockOSThread(); setSlack(1) }
func unlockExact()        { setSlack(0); runtime.UnlockOSThread() }

// monotonic is at by the clock that the kernel's timers go by.
func monotonic(at time.Time) unix.Timespec {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return unix.NsecToTimespec(ts.Nano() + time.Until(at).Nanoseconds())
}

func nanosleepUntil(at time.Time) {
	ts := monotonic(at)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}

func ppollUntil(at time.Time) {
	for d := time.Until(at); d > 0; d = time.Until(at) {
		ts := unix.NsecToTimespec(d.Nanoseconds())
		unix.Ppoll(nil, &ts, nil)
	}
}

func timerfdUntil(fd int, at time.Time) {
	spec := unix.ItimerSpec{Value: monotonic(at)}
	unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &spec, nil)
	var times [8]byte
	for {
		if _, err := unix.Read(fd, times[:]); err != unix.EINTR {
			return
		}
	}
}

func spinFor(last time.Duration) func(time.Time) {
	return func(at time.Time) {
		if sleep := at.Add(-last); time.Until(sleep) > 0 {
			nanosleepUntil(sleep)
		}
		for time.Until(at) > 0 {
		}
	}
}

// usedCPU is the time that this process has used of all processors.
func usedCPU() time.Duration {
	var r unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
