//go:build !linux

package pace

import "time"

// Waiter waits until a moment, as exactly as the system's timers are.
type Waiter struct{}

// Until returns at t, or after 50 ms if that is sooner.
func (*Waiter) Until(t time.Time) { time.Sleep(min(time.Until(t), longestWait)) }

// End must follow the last Until of a row.
func (*Waiter) End() {}
