//go:build linux

package e2e

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// full returns the writing end of a pipe that is full and that nobody reads.
func full(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	fd := int(w.Fd()) // once: every call makes it blocking again
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for junk := make([]byte, 4096); ; {
		if _, err := syscall.Write(fd, junk); err == syscall.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// mustEndSoon interrupts p and checks that it ends as Ctrl-C promises.
func mustEndSoon(t *testing.T, p *program) {
	t.Helper()
	began := time.Now()
	p.interrupt()
	if code := p.wait(); code != 0 {
		t.Errorf("exited with %d", code)
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("Ctrl-C took %v, want at most 1 s", d)
	}
}

// Who reads the figures may be stuck: Ctrl-C still ends the program.
func TestStuckReaderOfFigures(t *testing.T) {
	p := startWith(t, options{stdout: full(t)}, "demo", "--display", "none", "--stats", "json", "--interval", "10ms")
	p.heard("receiving")
	time.Sleep(300 * time.Millisecond) // some lines are due
	mustEndSoon(t, p)
}

// Who reads the log may be stuck: the picture goes on.
func TestStuckReaderOfTheLog(t *testing.T) {
	free, err := net.ListenPacket("udp", "127.0.0.1:0") // the viewer cannot say which port it took
	if err != nil {
		t.Fatal(err)
	}
	at := free.LocalAddr().String()
	free.Close()
	viewer := startWith(t, options{stderr: full(t)}, append([]string{"view", "--listen", at, "--display", "none"}, jsonStats...)...)
	sender := send(t, at)
	viewer.await("first frames", shown(5))
	for range 2 { // each restart is a line in the log
		sender.kill()
		before := viewer.latest().View.Frames.Shown
		sender = send(t, at)
		viewer.await("frames of the restarted sender", shown(before+20))
	}
	mustEndSoon(t, viewer)
}

// A pipe that says nothing is waited for, as long as --duration allows.
func TestSilentStandardInput(t *testing.T) {
	for name, args := range map[string][]string{"Ctrl-C": nil, "--duration": {"--duration", "300ms"}} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			p := startWith(t, options{stdin: r}, append([]string{"send", "--to", "127.0.0.1:9", "--source", "-", "--verbose"}, args...)...)
			if args == nil {
				time.Sleep(500 * time.Millisecond) // it has begun to wait
				mustEndSoon(t, p)
			} else if code := p.wait(); code != 0 {
				t.Errorf("exited with %d", code)
			}
			if strings.Contains(p.said(), "framegram:") {
				t.Errorf("an error was said: %s", p.said())
			}
		})
	}
}
