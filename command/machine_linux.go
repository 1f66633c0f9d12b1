package command

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/bench"
)

// thisMachine is what a report says of it.
func thisMachine() bench.Machine {
	m := bench.Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	cpu, _ := os.ReadFile("/proc/cpuinfo") // proc(5); ARM's has no model name
	for _, line := range strings.Split(string(cpu), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}
