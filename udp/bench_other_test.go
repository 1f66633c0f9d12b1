//go:build !linux

package udp_test

import (
	"net"
	"testing"
)

func grow(_ *testing.B, c *net.UDPConn, size int) { c.SetReadBuffer(size) }
