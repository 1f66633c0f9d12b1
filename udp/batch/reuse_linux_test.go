package batch

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reuse lets others have the same port.
func reuse(_, _ string, c syscall.RawConn) (err error) {
	c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	return err
}
