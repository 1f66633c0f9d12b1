package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace without a name. A descriptor, a thread and whatever
// runs in it keep it alive, so the end of the process is its end.
type namespace struct {
	file *os.File    // its descriptor
	jobs chan func() // for the thread that stays inside
	quit chan struct{}
	done chan struct{} // the thread has left
}

var errClosed = fmt.Errorf("netlab: the link is closed: %w", os.ErrClosed)

func newNamespace() (*namespace, error) {
	n := &namespace{jobs: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	ready := make(chan error)
	onThread(func() {
		defer close(n.done)
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n.file, err = current()
		}
		ready <- err
		for err == nil {
			select {
			case job := <-n.jobs:
				job()
			case <-n.quit:
				return
			}
		}
	})
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("netlab: a new network namespace: %w", err)
	}
	return n, nil
}

// current is the namespace of the calling thread.
func current() (*os.File, error) { return os.Open("/proc/thread-self/ns/net") }

// stay runs f on the thread that is inside for as long as n is open. Calls wait for one
// another.
func (n *namespace) stay(f func() error) (err error) {
	done := make(chan struct{})
	job := func() {
		defer close(done)
		err = f()
	}
	select {
	case n.jobs <- job:
		<-done
		return err
	case <-n.done:
		return errClosed
	}
}

// visit runs f on the caller's goroutine, whose thread is inside for that long.
func (n *namespace) visit(f func() error) error {
	runtime.LockOSThread()
	home, err := current()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("netlab: %w", err)
	}
	defer func() {
		// A thread that cannot be brought back stays locked, so that it ends with this
		// goroutine and nobody else gets it.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		home.Close()
	}()
	// Closing the file in the middle is an error of the control call, not of a stranger's descriptor.
	inside, err := n.file.SyscallConn()
	if err != nil {
		return errClosed
	}
	var entered error
	if err := inside.Control(func(fd uintptr) { entered = unix.Setns(int(fd), unix.CLONE_NEWNET) }); err != nil {
		return errClosed
	}
	if entered != nil {
		return fmt.Errorf("netlab: entering the namespace: %w", entered)
	}
	return f()
}

// start starts cmd inside. Unless cmd says otherwise, the kernel kills it when the
// thread inside ends (PR_SET_PDEATHSIG of prctl(2) means the thread): when n is closed
// or this process dies.
func (n *namespace) start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	return n.stay(cmd.Start)
}

func (n *namespace) close() error {
	close(n.quit)
	<-n.done
	if err := n.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("netlab: %w", err)
	}
	return nil
}
