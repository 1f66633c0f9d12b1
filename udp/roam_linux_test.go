package udp

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A viewer whose machine gets another address, as in another network, is served at that one
// without being started again, on the same port.
func TestViewerRoams(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ipCommand(t, "link add here type veth peer name there")
	raise(t, "here", 1)
	thread, run := inside(t)
	ip := func(args string) {
		t.Helper()
		run(func() error {
			out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("ip %s: %w: %s", args, err, out)
			}
			return err
		})
	}
	ipCommand(t, fmt.Sprintf("link set there netns %d", thread))
	ip("link set there up")
	ip("addr add 10.1.0.2/24 dev there")

	s, _ := streaming(t, SenderConfig{Listen: addrs("10.1.0.1:0")})
	var r *Receiver
	run(func() (err error) {
		r, err = Listen(ReceiverConfig{From: s.LocalAddrs()[0].String()})
		return err
	})
	takeAll(t, r)
	within(t, "frames", moreFrames(r))
	before := localAddr(r.conn)
	ip("addr del 10.1.0.2/24 dev there")
	ip("addr add 10.1.0.3/24 dev there")
	within(t, "its absence", func() bool { return r.Stats().Asking.State != "served" })
	t.Logf("3 s later called silent, and frames after %v more", within(t, "frames at the other address", moreFrames(r)))
	if after := localAddr(r.conn); after.Port() != before.Port() {
		t.Errorf("the port is %v, and was %v", after, before)
	}
}

// inside makes one more network namespace, which ends with the test, and returns a thread
// in it and what runs functions there. Sockets stay where they were opened.
func inside(t *testing.T) (thread int, run func(func() error)) {
	t.Helper()
	jobs, done := make(chan func() error), make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		for f := range jobs {
			done <- f()
		}
	}()
	t.Cleanup(func() { close(jobs) })
	run = func(f func() error) {
		t.Helper()
		jobs <- f
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	run(func() error {
		thread = unix.Gettid()
		return unix.Unshare(unix.CLONE_NEWNET)
	})
	return thread, run
}
