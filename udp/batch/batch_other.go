//go:build !linux

package batch

import "net"

// Writer sends datagrams on one socket. Not for use by several goroutines at once; who
// else uses the socket does not disturb it, but for a write deadline.
type Writer struct{ singleWriter }

// NewWriter returns a Writer to c, which stays the caller's.
func NewWriter(c *net.UDPConn, _ Config) *Writer { return &Writer{singleWriter{conn: c}} }

// Reader receives datagrams from one socket. Not for use by several goroutines at once.
type Reader struct{ singleReader }

// NewReader returns a Reader from c, which stays the caller's, as do its deadlines.
func NewReader(c *net.UDPConn, _ Config) *Reader { return &Reader{newSingleReader(c)} }
