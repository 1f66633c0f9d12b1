package netlab

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread starts f in a goroutine on a thread that does nothing else and ends with it,
// so that f may change what belongs to a thread: its namespace, priority, timer slack.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread() // and never unlocked, which ends the thread with the goroutine
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		// The main thread cannot end, and /proc/self/net shows its namespace. While it is
		// held here, the next goroutine gets another one.
		begun := make(chan struct{})
		onThread(func() {
			close(begun)
			f()
		})
		<-begun
		runtime.UnlockOSThread()
	}()
}
