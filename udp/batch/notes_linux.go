package batch

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notes are what the kernel says of a message it received.
type notes struct {
	segment int // bytes of each datagram of a train (UDP_GRO); 0 = it is no train
	drops   uint32
	dropped bool // drops was said
	to      netip.Addr
	in      int
}

// notesSpace is room in bytes for all that a socket may have been asked for, here or by
// its owner: 24 + 24 + 32 + 40, and as much again.
const notesSpace = 256

// parseNotes reads control messages (cmsg(3)). What is cut off or not known is passed over.
func parseNotes(b []byte) (n notes) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		size := int(h.Len)
		if size < unix.CmsgLen(0) || size > len(b) {
			break
		}
		d := b[unix.CmsgLen(0):size]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(d) >= 4:
			n.segment = int(int32(binary.NativeEndian.Uint32(d)))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(d) >= 4:
			n.drops, n.dropped = binary.NativeEndian.Uint32(d), true
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(d) >= unix.SizeofInet4Pktinfo: // index, local address, destination
			n.in, n.to = int(int32(binary.NativeEndian.Uint32(d))), netip.AddrFrom4([4]byte(d[8:]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(d) >= unix.SizeofInet6Pktinfo: // destination, index
			n.in, n.to = int(int32(binary.NativeEndian.Uint32(d[16:]))), netip.AddrFrom16([16]byte(d)).Unmap()
		}
		b = b[min(unix.CmsgSpace(len(d)), len(b)):]
	}
	return n
}
