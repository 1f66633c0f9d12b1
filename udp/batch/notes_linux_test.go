package batch

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// note is a control message as the kernel lays it out.
func note(level, kind int32, data ...byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	if unix.CmsgLen(0) == 16 {
		binary.NativeEndian.PutUint64(b, uint64(unix.CmsgLen(len(data))))
	} else {
		binary.NativeEndian.PutUint32(b, uint32(unix.CmsgLen(len(data))))
	}
	at := unix.CmsgLen(0) - 8
	binary.NativeEndian.PutUint32(b[at:], uint32(level))
	binary.NativeEndian.PutUint32(b[at+4:], uint32(kind))
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func native(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func TestNotes(t *testing.T) {
	gro := note(unix.IPPROTO_UDP, unix.UDP_GRO, native(1472)...)
	drops := note(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, native(1<<32-1)...)
	other := note(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, make([]byte, 16)...)
	odd := note(unix.SOL_SOCKET, unix.SO_MARK, 1) // its length is no multiple of 8
	for name, c := range map[string]struct {
		b    []byte
		want notes
	}{
		"none":                      {nil, notes{}},
		"a train":                   {gro, notes{segment: 1472}},
		"drops behind others":       {join(odd, other, drops), notes{drops: 1<<32 - 1, dropped: true}},
		"all":                       {join(gro, drops, note(unix.IPPROTO_IP, unix.IP_PKTINFO, 7, 0, 0, 0, 9, 9, 9, 9, 127, 0, 0, 1)), notes{1472, 1<<32 - 1, true, netip.MustParseAddr("127.0.0.1"), le(7)}},
		"a negative size":           {note(unix.IPPROTO_UDP, unix.UDP_GRO, native(1<<32-5)...), notes{segment: -5}},
		"cut off in the data":       {join(other, gro)[:len(other)+unix.CmsgLen(3)], notes{}},
		"cut off in the header":     {join(gro, drops)[:len(gro)+5], notes{segment: 1472}},
		"too short for its kind":    {note(unix.IPPROTO_UDP, unix.UDP_GRO, 1, 2), notes{}},
		"no padding after the last": {join(other, gro)[:len(other)+unix.CmsgLen(4)], notes{segment: 1472}},
		"a length of nothing":       {make([]byte, 64), notes{}},
	} {
		if got := parseNotes(c.b); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func join(bs ...[]byte) (all []byte) {
	for _, b := range bs {
		all = append(all, b...)
	}
	return all
}

// le is what the bytes n, 0, 0, 0 mean to this machine.
func le(n byte) int { return int(int32(binary.NativeEndian.Uint32([]byte{n, 0, 0, 0}))) }

// The kernel reads what NewWriter and load write there.
func TestSegmentNoteIsLaidOutAsTheKernelReadsIt(t *testing.T) {
	n := segmentNote{segment: 1472}
	n.Level, n.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	n.SetLen(unix.CmsgLen(2))
	want := note(unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, 1472)...)
	if got := unsafe.Slice((*byte)(unsafe.Pointer(&n)), unsafe.Sizeof(n)); !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

func FuzzNotes(f *testing.F) {
	f.Add(note(unix.IPPROTO_UDP, unix.UDP_GRO, native(1472)...))
	f.Add(note(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, make([]byte, 20)...))
	f.Fuzz(func(t *testing.T, b []byte) { parseNotes(append(make([]byte, 0, len(b)), b...)) })
}
