package batch

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/fragment"
)

// A call for each datagram: what a Writer and a Reader are where nothing better is known.

// writePatience is how long one Write may wait for room: these systems have no way to ask
// whether there is any that works on all of them.
const writePatience = 5 * time.Millisecond

type singleWriter struct {
	conn  *net.UDPConn
	whole []byte // a datagram, put together
}

// Write sends ds to an address, or if that is not valid where the connected socket leads.
// n is how many of them the kernel took. The error concerns ds[n], but for a refusal
// (ECONNREFUSED), which an earlier datagram met: then ds[n] has not been tried. Where the
// send buffer stays full for some milliseconds the error is EAGAIN; others match a
// syscall.Errno. It sets the socket's
// write deadline and removes it.
func (w *singleWriter) Write(ds []fragment.Datagram, to netip.AddrPort) (n int, err error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return 0, err
	}
	defer w.conn.SetWriteDeadline(time.Time{}) // or no other write would succeed from now on
	for n = range ds {
		w.whole = append(append(w.whole[:0], ds[n].Header...), ds[n].Payload...)
		if to.IsValid() {
			_, err = w.conn.WriteToUDPAddrPort(w.whole, to)
		} else {
			_, err = w.conn.Write(w.whole)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n, syscall.EAGAIN
		case err != nil:
			return n, err
		}
	}
	return len(ds), nil
}

// WaitRoom returns at once, since Write waits itself; after the deadline the error is
// os.ErrDeadlineExceeded.
func (w *singleWriter) WaitRoom(deadline time.Time) error {
	if time.Now().After(deadline) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Queued is not known here: 0.
func (w *singleWriter) Queued() int { return 0 }

// Offload reports whether trains are sent.
func (w *singleWriter) Offload() bool { return false }

type singleReader struct {
	conn    *net.UDPConn
	buf     []byte
	notes   []byte
	packets []Packet
}

func newSingleReader(c *net.UDPConn) singleReader {
	return singleReader{conn: c, buf: make([]byte, 65536), notes: make([]byte, 256)}
}

// Read waits for datagrams and returns what has come, at least one; they are borrowed
// until the next Read. The error matches net.ErrClosed after Close and
// os.ErrDeadlineExceeded at the socket's read deadline.
func (r *singleReader) Read() ([]Packet, error) {
	n, noted, _, from, err := r.conn.ReadMsgUDPAddrPort(r.buf, r.notes)
	if err != nil {
		return nil, err
	}
	p := Packet{B: r.buf[:n], From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
	p.To, p.Interface = destination(r.notes[:noted])
	r.packets = split(r.packets[:0], p, 0)
	return r.packets, nil
}

// destination reads where a datagram was sent to and by which interface it came, if the
// socket was asked for it. A socket of both families says it in the words of IPv6.
func destination(notes []byte) (to netip.Addr, in int) {
	if len(notes) == 0 {
		return to, 0
	}
	var m4 ipv4.ControlMessage
	var m6 ipv6.ControlMessage
	var dst net.IP
	if m4.Parse(notes) == nil && m4.Dst != nil {
		dst, in = m4.Dst, m4.IfIndex
	} else if m6.Parse(notes) == nil {
		dst, in = m6.Dst, m6.IfIndex
	}
	to, _ = netip.AddrFromSlice(dst)
	return to.Unmap(), in
}

// Drops are not known here.
func (r *singleReader) Drops() (total uint32, ok bool) { return 0, false }
