package batch

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readTrains  = 8     // trains a call at most
	readSingles = 64    // datagrams a call at most, where there are no trains
	bufferLen   = 65536 // no datagram and no train is longer
)

// Reader receives datagrams from one socket. Not for use by several goroutines at once.
// It has 512 KiB of buffers; without offload 4 MiB, of which only those pages become
// resident that datagrams fill.
type Reader struct {
	raw      syscall.RawConn
	zones    zones
	messages []unix.Mmsghdr
	rooms    []room
	packets  []Packet
	drops    uint32
	dropped  bool

	// How the call went. The functions are made once, since making one allocates.
	n        int
	errno    syscall.Errno
	receive  func(fd uintptr) bool
	recvmmsg func(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno)
}

// room is where the kernel puts one message.
type room struct {
	buf   []byte
	piece unix.Iovec
	from  sockaddr
	notes [notesSpace / 8]uint64 // aligned
}

// NewReader returns a Reader from c, which stays the caller's, as do its deadlines. It asks
// for trains if the kernel knows them.
func NewReader(c *net.UDPConn, cfg Config) *Reader {
	r := &Reader{raw: rawConn(c), recvmmsg: recvmmsg}
	n := readSingles
	if !cfg.NoOffload {
		r.raw.Control(func(fd uintptr) {
			if unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil { // since Linux 5.0
				n = readTrains
			}
		})
	}
	r.messages, r.rooms = make([]unix.Mmsghdr, n), make([]room, n)
	r.packets = make([]Packet, 0, max(n, readTrains*maxSegments))
	all := make([]byte, n*bufferLen)
	for i := range r.rooms {
		m := &r.rooms[i]
		m.buf = all[i*bufferLen:][:bufferLen:bufferLen]
		setPiece(&m.piece, m.buf)
		h := &r.messages[i].Hdr
		h.Name, h.Iov, h.Control = (*byte)(unsafe.Pointer(&m.from)), &m.piece, (*byte)(unsafe.Pointer(&m.notes))
		h.SetIovlen(1)
	}
	r.n = n
	r.receive = func(fd uintptr) bool {
		r.n, r.errno = r.recvmmsg(fd, r.messages)
		return r.errno != unix.EAGAIN
	}
	return r
}

func recvmmsg(fd uintptr, ms []unix.Mmsghdr) (int, syscall.Errno) {
	for {
		n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&ms[0])), uintptr(len(ms)), unix.MSG_DONTWAIT, 0, 0)
		if e != unix.EINTR {
			return int(n), e
		}
	}
}

// Read waits for datagrams and returns what has come, at least one; they are borrowed
// until the next Read. The error matches net.ErrClosed after Close,
// os.ErrDeadlineExceeded at the socket's read deadline, or is a syscall.Errno, after which
// reading may go on.
func (r *Reader) Read() ([]Packet, error) {
	for i := range r.messages[:r.n] { // the kernel wrote into those it used
		h := &r.messages[i].Hdr
		h.Namelen, h.Flags = uint32(unsafe.Sizeof(r.rooms[i].from)), 0
		h.SetControllen(notesSpace)
	}
	r.n = 0
	if err := r.raw.Read(r.receive); err != nil {
		r.n = 0
		return nil, err
	}
	if r.errno != 0 {
		r.n = 0
		return nil, r.errno
	}
	r.packets = r.packets[:0]
	for i := range r.messages[:r.n] {
		m, room := &r.messages[i], &r.rooms[i]
		notes := parseNotes(unsafe.Slice((*byte)(unsafe.Pointer(&room.notes)), notesSpace)[:min(m.Hdr.Controllen, notesSpace)])
		if notes.dropped {
			r.drops, r.dropped = notes.drops, true
		}
		r.packets = split(r.packets, Packet{
			B:    room.buf[:min(int(m.Len), len(room.buf))],
			From: room.from.get(m.Hdr.Namelen, &r.zones),
			To:   notes.to, Interface: notes.in,
		}, notes.segment)
	}
	return r.packets, nil
}

// Drops is how many messages the kernel has dropped on this socket for want of room in
// the receive buffer since it was opened, modulo 2^32, as said with the newest message; ok
// is false before the first, and where the socket was not asked (SO_RXQ_OVFL in
// socket(7)). A dropped train counts once.
func (r *Reader) Drops() (total uint32, ok bool) { return r.drops, r.dropped }
