package capture

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is the v4l2Sys of this machine.
type kernel struct{}

func (kernel) list() ([]string, error) {
	paths, err := filepath.Glob("/dev/video*")
	n := 0
	for _, p := range paths {
		if isVideoNode(p) {
			paths[n] = p
			n++
		}
	}
	return paths[:n], err
}

// open does not wait: with O_NONBLOCK, dequeuing says EAGAIN when nothing is there.
func (kernel) open(path string) (v4l2Node, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFCHR {
		err = unix.ENOTTY
	}
	if err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &kernelNode{fd: fd, wake: wake}, nil
}

type kernelNode struct {
	fd   int
	wake int // an eventfd: readable after interrupt
}

func (k *kernelNode) ioctl(request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(k.fd), request, uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

func (k *kernelNode) mmap(offset int64, length int) ([]byte, error) {
	return unix.Mmap(k.fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (k *kernelNode) munmap(b []byte) error { return unix.Munmap(b) }

func (k *kernelNode) wait(d time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}, {Fd: int32(k.wake), Events: unix.POLLIN}}
	for end := time.Now().Add(d); ; {
		left := max(0, time.Until(end))
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		switch {
		case err == unix.EINTR && left > 0:
		case err != nil && err != unix.EINTR:
			return err
		case fds[1].Revents != 0:
			return errInterrupted
		case n > 0:
			return nil
		default:
			return errWaited
		}
	}
}

func (k *kernelNode) interrupt() { unix.Write(k.wake, []byte{1, 0, 0, 0, 0, 0, 0, 1}) }

func (k *kernelNode) close() error {
	unix.Close(k.wake)
	return unix.Close(k.fd)
}
