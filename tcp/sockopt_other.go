//go:build !linux

package tcp

import (
	"errors"
	"net"
	"syscall"
)

// Without Linux's options, what waits in a connection is bounded by a small send buffer.

type settings struct{ congestion string }

func (settings) control(string, string, syscall.RawConn) error { return nil }

func (s settings) check() error {
	if s.congestion != "" {
		return errors.New("tcp: the congestion control can be chosen on Linux only")
	}
	return nil
}

// sendBuffer in bytes has room for two frames of 120 kB; more would be a queue of the
// past.
const sendBuffer = 256 << 10

func tune(c *net.TCPConn) error { return c.SetWriteBuffer(sendBuffer) }

func congestionOf(*net.TCPConn) string { return "" }

type gauge struct{}

func newGauge(*net.TCPConn) (*gauge, error) { return &gauge{}, nil }

func (*gauge) queued() (int, error) { return 0, errors.ErrUnsupported }

func (*gauge) pathInfo() (pathInfo, error) { return pathInfo{}, errors.ErrUnsupported }
