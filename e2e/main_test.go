//go:build linux

// Package e2e runs the whole program: real processes, real datagrams on the loopback
// interface, real windows and pages, and other programs at both ends.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// framegram is the program as `make build` makes it.
var framegram string

// stamp is the version it says it is.
const stamp = "e2e-1.2.3"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "framegram-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	buildDir = dir
	if framegram, err = build("framegram"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

var buildDir string

// build builds the program under a name of its own.
func build(name string, env ...string) (string, error) {
	out := filepath.Join(buildDir, name)
	cmd := exec.Command("go", "build", "-buildvcs=false",
		"-ldflags", "-X github.com/framegram/framegram/command.version="+stamp, "-o", out, "..")
	cmd.Env = append(os.Environ(), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, output)
	}
	return out, nil
}

// pure is framegram built with CGO_ENABLED=0.
var pure = sync.OnceValues(func() (string, error) { return build("framegram-pure", "CGO_ENABLED=0") })

// module returns the directory of another module's source, whose files tests use.
func module(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("go list -m %s: %q, %v", path, dir, err)
	}
	return dir
}
