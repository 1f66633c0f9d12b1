//go:build !linux

package pace

import "time"

func systemWays() []way { return nil }

// usedCPU is not measured here.
func usedCPU() time.Duration { return 0 }
