package fragment

import (
	"encoding/binary"
	"time"

	"github.com/framegram/framegram/internal/crc32c"
)

// A stream (TCP) carries messages: a length of LengthLen bytes, then what a datagram
// would be, but that a frame comes whole; docs/PROTOCOL.md, section 10.
const (
	LengthLen      = 4       // bytes before every message: how many follow
	FrameHeaderLen = 40      // bytes before a frame message's JPEG, in this minor version
	MaxFrameHeader = 255 * 4 // and in any
	MaxControlLen  = 1024    // bytes of any other message, length not counted
)

// TypeFrame is a whole frame. It comes on a stream only; as a datagram it is an unknown
// type and ignored.
const TypeFrame Type = 11

// FrameHeader precedes the JPEG in a frame message.
type FrameHeader struct {
	Common
	Frame    uint32 // wire frame ID, numbered by the sender, wraps: compare with stream.Newer
	Captured int64  // µs since the Unix epoch by the sender's clock
	CRC      uint32 // of the JPEG, by FrameCRC
}

// CapturedTime is Captured as a time.
func (h *FrameHeader) CapturedTime() time.Time { return time.UnixMicro(h.Captured) }

// FrameCRC is a JPEG's CRC-32C (Castagnoli).
func FrameCRC(jpeg []byte) uint32 { return crc32c.Checksum(jpeg) }

// AppendLength appends the length of a message of n bytes.
func AppendLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

// ParseMessage reads a message's length n and common bytes, of which b holds at least
// LengthLen + CommonLen, and checks n before anything is done with it: a frame's JPEG may
// have maxFrame bytes. On ErrInvalid, n is what was claimed.
func ParseMessage(b []byte, maxFrame int) (c Common, n int, err error) {
	if len(b) < LengthLen+CommonLen {
		return c, 0, ErrShort
	}
	if c, err = ParseCommon(b[LengthLen:]); err != nil {
		return c, 0, err
	}
	claimed := binary.BigEndian.Uint32(b)
	least, most := CommonLen, MaxControlLen
	if c.Type == TypeFrame {
		least, most = FrameHeaderLen+1, MaxFrameHeader+maxFrame
	}
	if uint64(claimed) < uint64(least) || uint64(claimed) > uint64(most) {
		return c, int(min(claimed, 1<<31-1)), ErrInvalid
	}
	return c, int(claimed), nil
}

// AppendBinary implements encoding.BinaryAppender: it appends FrameHeaderLen bytes.
func (h *FrameHeader) AppendBinary(b []byte) ([]byte, error) {
	b = h.Common.append(b, TypeFrame)
	b = binary.BigEndian.AppendUint32(b, h.Frame)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Captured))
	b = binary.BigEndian.AppendUint32(b, h.CRC)
	return append(b, FrameHeaderLen/4, 0, 0, 0), nil
}

// Parse reads the header of a frame message of n bytes, of which b holds at least the
// first FrameHeaderLen, and returns how many of them precede the JPEG: at least as many,
// and fewer than n. After an error h means nothing.
func (h *FrameHeader) Parse(b []byte, n int) (start int, err error) {
	c, d, err := body(b, TypeFrame, FrameHeaderLen-CommonLen)
	if err != nil {
		return 0, err
	}
	*h = FrameHeader{
		Common:   c,
		Frame:    binary.BigEndian.Uint32(d),
		Captured: int64(binary.BigEndian.Uint64(d[4:])),
		CRC:      binary.BigEndian.Uint32(d[12:]),
	}
	if start = int(d[16]) * 4; start < FrameHeaderLen || start >= n {
		return 0, ErrInvalid
	}
	return start, nil
}
