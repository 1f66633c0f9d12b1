//go:build !linux

package batch

import (
	"net"
	"testing"
)

func grow(_ testing.TB, c *net.UDPConn) { c.SetReadBuffer(4 << 20) }
