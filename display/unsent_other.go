//go:build !linux && !darwin

package display

import "net"

// limitUnsent keeps the past from queueing in c, as the option of the other systems
// does, only that here what is under way counts, too.
func limitUnsent(c net.Conn) error {
	if t, ok := c.(*net.TCPConn); ok {
		return t.SetWriteBuffer(256 << 10)
	}
	return nil
}
