// Package testutil says in one place what happens to a test that cannot run here.
//
// On a developer's machine such a test skips and says why. With CI=true in the
// environment it fails: a machine that is there to run the tests must be able to
// run all of them, or a test could rest for years without anybody noticing.
package testutil

import (
	"os"
	"os/exec"
	"testing"
)

// Skip skips the test with a reason, or fails it when CI=true.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("nothing skips under CI=true: "+format, args...)
		return
	}
	t.Skipf(format, args...)
}

// Need returns the path of the first of the commands that is installed, and skips
// the test when none is.
func Need(t testing.TB, commands ...string) string {
	t.Helper()
	for _, c := range commands {
		if path, err := exec.LookPath(c); err == nil {
			return path
		}
	}
	Skip(t, "needs the command %s: `make setup-test` installs it", commands[0])
	return ""
}

// NeedRoot skips the test unless it runs as root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs root")
	}
}

// Long reports whether `make test-long` runs, in which tests may take minutes.
func Long() bool { return os.Getenv("FRAMEGRAM_TEST_LONG") != "" }
