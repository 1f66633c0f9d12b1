package batch

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// grow gives c a receive buffer for all that a test sends before it reads.
func grow(t testing.TB, c *net.UDPConn) {
	t.Helper()
	const size = 4 << 20
	granted := 0
	rawConn(c).Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
		granted, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	if granted < 2*size {
		testutil.Skip(t, "needs root, or `sysctl -w net.core.rmem_max=%d`", size)
	}
}
