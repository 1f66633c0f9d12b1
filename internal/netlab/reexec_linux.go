package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inside is in the environment of a process that Reexec has started.
const inside = "FRAMEGRAM_NETLAB_INSIDE"

// Reexec makes links possible for a user who is not root. Where they are possible
// already it returns at once, with done false: the caller goes on. Otherwise it runs
// this program again, with the same arguments and environment, in a user and network
// namespace of its own, in which that user is root, and waits for it: done is true, and
// the caller ends with the exit code that is returned. So it is to be called early, once
// the arguments are known to be right, before anything else is begun. An error says what
// the machine lacks.
//
// The second process has files and processes as before (what it writes belongs to the
// user), and no network but lo. When ctx is done it gets SIGTERM; it is in a process
// group of its own, so that Ctrl-C does not reach it a second time, and dies with us.
// If ctx has been done for ten seconds and it has not ended, it is killed.
func Reexec(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (code int, done bool, err error) {
	if err := tunExists(); err != nil {
		return 0, false, err
	}
	again := os.Getenv(inside) != ""
	switch err := tryNamespace(); {
	case err == nil && again:
		return 0, false, setFlagsUp("lo")
	case err == nil:
		return 0, false, nil
	case again || !errors.Is(err, unix.EPERM):
		return 0, false, explainNamespace(os.DirFS("/proc/sys"), err)
	}
	// The kernel's death signal is for the end of the thread that started the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		Setpgid:     true,
		Pdeathsig:   unix.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return 0, false, explainNamespace(os.DirFS("/proc/sys"), err)
	}
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case err == nil:
		return 0, true, nil
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), true, nil
	case ctx.Err() != nil && cmd.ProcessState.Exited(): // by our signal, and in order
		return cmd.ProcessState.ExitCode(), true, nil
	default:
		return 1, true, fmt.Errorf("netlab: this program, run again in a namespace: %w", err)
	}
}

// tunExists is the error if it cannot be opened, which no namespace cures.
func tunExists() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return explainTUN(err)
	}
	return unix.Close(fd)
}

// tryNamespace tries the rest of what Open needs.
func tryNamespace() error {
	n, err := newNamespace()
	if err != nil {
		return err
	}
	defer n.close()
	return n.stay(func() error {
		t, err := openTUN()
		if err == nil {
			t.close()
		}
		return err
	})
}
