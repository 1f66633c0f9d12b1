//go:build unix

package command

import (
	"runtime"
	"syscall"
	"time"
)

// processCost is the processor time used by this process so far, and the most
// memory it has had resident (getrusage(2)).
func processCost() (cpu time.Duration, peak uint64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	peak = uint64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peak <<= 10 // kB everywhere but on Apple's systems
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), peak
}
