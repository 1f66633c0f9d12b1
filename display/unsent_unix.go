//go:build linux || darwin

package display

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsentBytes is how much may wait in a viewer's socket for the network to take it.
// Anything more is written only when there is room, by which time there may be a
// newer frame to write. (Left alone, Linux lets 4 MB wait: over two seconds at 16
// Mbit/s.) What is under way and unacknowledged does not count.
const unsentBytes = 128 << 10

// limitUnsent keeps the past from queueing in c (TCP_NOTSENT_LOWAT, tcp(7)).
func limitUnsent(c net.Conn) error {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return fmt.Errorf("display: %T is no socket", c)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	ctl := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	})
	return errors.Join(ctl, err)
}
