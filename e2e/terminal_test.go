//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal (pty(7)): the user's end and the program's.
func terminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	fd := int(user.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) // may be opened now
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

func TestStatusLine(t *testing.T) {
	t.Parallel()
	user, program := terminal(t)
	cmd := brief(t, framegram, "demo", "--display", "none", "--duration", "2s", "--interval", "200ms")
	cmd.Stderr = program
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	var seen bytes.Buffer
	seen.ReadFrom(user) // until the last program's end is closed, which reads as EIO
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	lines := strings.Split(seen.String(), "\r\x1b[K")
	if len(lines) < 5 {
		t.Fatalf("%d status lines in 2 s: %q", len(lines), &seen)
	}
	status := lines[len(lines)-3]
	if !strings.Contains(status, "fps | ") || !strings.Contains(status, "Mbit/s | latency ") || len(status) > 100 || strings.Contains(status, "\n") {
		t.Errorf("the status line reads %q", status)
	}
	last := lines[len(lines)-1]
	if !strings.Contains(last, "shown ") || strings.Contains(last, "\x1b") {
		t.Errorf("it ends with %q, want a summary where the status line was", last)
	}
}

// Where nobody watches there are log lines, and no control characters.
func TestLogLines(t *testing.T) {
	t.Parallel()
	code, out, said := command(t, framegram, "demo", "--display", "none", "--duration", "1s", "--interval", "200ms")
	if code != 0 || out != "" {
		t.Errorf("exit %d, standard output %q", code, out)
	}
	if strings.ContainsAny(said, "\x1b\r") {
		t.Errorf("control characters in %q", said)
	}
	if n := strings.Count(said, "msg=demo "); n < 3 || !strings.Contains(said, "latency_p50_ms=") {
		t.Errorf("%d log lines in 1 s, want one every 200 ms: %s", n, said)
	}
}

func TestPicturesToATerminal(t *testing.T) {
	t.Parallel()
	_, program := terminal(t)
	cmd := brief(t, framegram, "view", "--listen", "127.0.0.1:0", "--display", "stdout", "--duration", "5s")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = program, &said
	err := cmd.Run()
	if cmd.ProcessState.ExitCode() < 1 || !strings.HasPrefix(said.String(), "framegram: ") || !strings.Contains(said.String(), "terminal") {
		t.Errorf("%v, said %s", err, &said)
	}
}
