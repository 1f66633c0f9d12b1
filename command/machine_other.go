//go:build !linux

package command

import (
	"runtime"

	"github.com/framegram/framegram/bench"
)

// thisMachine is what a report says of it.
func thisMachine() bench.Machine {
	return bench.Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH}
}
