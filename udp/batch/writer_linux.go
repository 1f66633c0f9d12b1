package batch

import (
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/fragment"
)

const (
	writeMessages = 64                  // a call at most; more gained nothing when measured
	writePieces   = 2 * 8 * maxSegments // a call at most: those of eight full trains
)

// Writer sends datagrams on one socket. Not for use by several goroutines at once; who
// else uses the socket does not disturb it.
type Writer struct {
	conn    *net.UDPConn
	raw     syscall.RawConn
	log     *slog.Logger
	v4      bool
	offload bool
	zones   zones
	to      netip.AddrPort // what name holds
	name    sockaddr
	nameLen uint32

	// The call in preparation. What pieces point to is kept from the garbage collector
	// until the next Write, no longer.
	messages [writeMessages]unix.Mmsghdr
	pieces   [writePieces]unix.Iovec
	notes    [writeMessages]segmentNote
	counts   [writeMessages]int // datagrams of each message
	n        int                // messages

	// How the call went. The functions are made once, since making one allocates.
	sent     int
	errno    syscall.Errno
	send     func(fd uintptr)
	sendmmsg func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno)
	writable func(fd uintptr) bool
	queue    func(fd uintptr)
	queued   int32
}

// segmentNote is the control message that makes a message a train (UDP_SEGMENT in
// udp(7)), as large as CMSG_SPACE(2).
type segmentNote struct {
	unix.Cmsghdr
	segment uint16
	_       [unsafe.Sizeof(uintptr(0)) - 2]byte
}

// NewWriter returns a Writer to c, which stays the caller's. It asks the kernel whether it
// knows trains.
func NewWriter(c *net.UDPConn, cfg Config) *Writer {
	w := &Writer{conn: c, raw: rawConn(c), log: cfg.log(), sendmmsg: sendmmsg}
	w.v4 = domain(w.raw)
	w.raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT) // since Linux 4.18
		w.offload = err == nil && !cfg.NoOffload
	})
	w.send = func(fd uintptr) { w.sent, w.errno = w.sendmmsg(fd, w.messages[:w.n]) }
	w.writable = func(fd uintptr) bool {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(p[:], 0)
		return n > 0 || err != nil && err != unix.EINTR // whoever writes meets the error
	}
	w.queue = func(fd uintptr) {
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, unix.SIOCOUTQ, uintptr(unsafe.Pointer(&w.queued))); e != 0 {
			w.queued = 0
		}
	}
	for i := range w.notes {
		n := &w.notes[i]
		n.Level, n.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		n.SetLen(unix.CmsgLen(2))
	}
	return w
}

func sendmmsg(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
	for {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), unix.MSG_DONTWAIT, 0, 0)
		if e != unix.EINTR {
			return int(n), e
		}
	}
}

// Write sends ds to an address, or if that is not valid where the connected socket leads.
// n is how many of them the kernel took. The error, a syscall.Errno while the socket is
// open, concerns ds[n], but for a refusal (ECONNREFUSED), which an earlier datagram met:
// then ds[n] has not been tried. Write never waits: where the send buffer is full the
// error is EAGAIN, see WaitRoom. EMSGSIZE says that ds[n] is larger than the path's MTU.
func (w *Writer) Write(ds []fragment.Datagram, to netip.AddrPort) (n int, err error) {
	defer runtime.KeepAlive(ds) // a piece holds but the first of what it stands for
	if err := w.address(to); err != nil {
		return 0, err
	}
	for n < len(ds) {
		w.load(ds[n:], w.offload)
		sent, err := w.call()
		for _, c := range w.counts[:sent] {
			n += c
		}
		if isOffload(err) && w.counts[0] > 1 {
			if err = w.without(ds[n:], err); err == nil {
				n++
			}
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// isOffload reports whether an error may be due to trains: EIO where the interface
// cannot sum them up (as before Linux 6.2) or encrypts, EINVAL where the socket sends no
// checksum (SO_NO_CHECK) or, before Linux 6.14, where the MTU fell below the segments.
func isOffload(err error) bool { return err == unix.EIO || err == unix.EINVAL }

// without sends ds[0], the first of a train that was refused, alone. If the kernel takes
// it, trains were what was wrong: they are not tried again. Otherwise the error is the
// datagram's own, as EMSGSIZE when the MTU fell, and trains are as good as before.
func (w *Writer) without(ds []fragment.Datagram, why error) error {
	w.load(ds[:1], false)
	if _, err := w.call(); err != nil {
		return err
	}
	w.offload = false
	w.log.Warn("sending every datagram by itself, which takes more of the processor: the kernel or the interface refuses segmentation offload",
		slog.String("local", w.conn.LocalAddr().String()), slog.Any("error", why))
	return nil
}

// address makes w.name the address.
func (w *Writer) address(to netip.AddrPort) (err error) {
	switch {
	case !to.IsValid():
		w.nameLen = 0
	case to != w.to || w.nameLen == 0 || to.Addr().Zone() != "":
		w.to = to
		w.nameLen, err = w.name.set(to, w.v4, &w.zones)
	}
	return err
}

// load prepares a call with the first of ds, which is not empty.
func (w *Writer) load(ds []fragment.Datagram, trains bool) {
	w.n = 0
	for pieces := w.pieces[:]; len(ds) > 0 && w.n < len(w.messages); w.n++ {
		n, segment := 1, 0
		if trains {
			n, segment = train(ds)
		}
		if 2*n > len(pieces) {
			return
		}
		used := setPieces(pieces, ds[:n])
		h := &w.messages[w.n].Hdr
		h.Iov = &pieces[0]
		h.SetIovlen(used)
		h.Name, h.Namelen = nil, w.nameLen
		if w.nameLen > 0 {
			h.Name = (*byte)(unsafe.Pointer(&w.name))
		}
		h.Control = nil
		h.SetControllen(0)
		if n > 1 {
			note := &w.notes[w.n]
			note.segment = uint16(segment)
			h.Control = (*byte)(unsafe.Pointer(note))
			h.SetControllen(unix.CmsgSpace(2))
		}
		w.counts[w.n] = n
		ds, pieces = ds[n:], pieces[used:]
	}
}

// setPieces makes one piece of what lies one behind the other in memory, as a Splitter's
// datagrams do, and returns how many it takes: 2 for each datagram at most. The kernel is the
// faster the fewer there are.
func setPieces(pieces []unix.Iovec, ds []fragment.Datagram) (n int) {
	var from, to uintptr // piece n-1
	for i := range ds {
		for _, b := range [...][]byte{ds[i].Header, ds[i].Payload} {
			start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
			if n == 0 || start != to {
				pieces[n].Base = unsafe.SliceData(b)
				n, from = n+1, start
			}
			to = start + uintptr(len(b))
			pieces[n-1].SetLen(int(to - from))
		}
	}
	return n
}

func setPiece(p *unix.Iovec, b []byte) {
	p.Base = unsafe.SliceData(b)
	p.SetLen(len(b))
}

// call sends what was loaded, and returns how many messages of it the kernel took: at
// least one, or an error that concerns the first. Control, unlike RawConn.Write, does not
// wait for others who write.
func (w *Writer) call() (int, error) {
	if err := w.raw.Control(w.send); err != nil {
		return 0, err
	}
	if w.errno != 0 {
		return 0, w.errno
	}
	return w.sent, nil
}

// WaitRoom waits until the send buffer has room again, or until the deadline: then the
// error matches os.ErrDeadlineExceeded. It sets the socket's write deadline and removes
// it. The kernel wakes us when half of the buffer is empty.
func (w *Writer) WaitRoom(deadline time.Time) error {
	if err := w.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	err := w.raw.Write(w.writable)
	w.conn.SetWriteDeadline(time.Time{}) // or no other write would succeed from now on
	return err
}

// Queued is how much has not left the machine yet, in bytes as the kernel counts them
// against the send buffer (SIOCOUTQ): up to twice the datagrams' own. 0 where unknown.
func (w *Writer) Queued() int {
	if w.raw.Control(w.queue) != nil {
		return 0
	}
	return int(w.queued)
}

// Offload reports whether trains are sent.
func (w *Writer) Offload() bool { return w.offload }
