package fragment

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Sizes and limits of a data datagram.
const (
	HeaderLen     = 48 // bytes before the fragment, in this minor version
	ShardUnit     = 64 // shard sizes are multiples of it
	MaxShard      = 255 * ShardUnit
	MaxFrameBytes = 1 << 24 // offset + length of a block never exceeds it (16 MiB)
	MaxBlockBytes = 1<<24 - 1
	maxFragments  = 256 // data and (rounded-up) parity fragments of a block
)

// Header precedes the fragment in a data datagram; docs/PROTOCOL.md, section 3.
type Header struct {
	Common
	Frame    uint32 // wire frame ID, numbered by the sender, wraps: compare with stream.Newer
	Captured int64  // µs since the Unix epoch by the sender's clock
	Block    uint8  // index of the block in the frame: 0..254
	Blocks   uint8  // number of blocks; 0 = not known yet
	Index    uint8  // fragment in the block: < DataFragments is data, the rest parity
	Parity   uint8  // parity fragments of the block
	Shard    int    // bytes of a full fragment: 64..16320 in steps of 64, one size for the frame
	Length   int    // bytes of the block: 1..2^24-1
	Offset   int    // of the block's first byte in the frame
	CRC      uint32 // CRC-32C (Castagnoli) of the block's bytes
}

// DataFragments is k = ⌈Length / Shard⌉. Both are in the range that Header gives: 32 bits are
// divided in half the time of 64, and it is done thrice a datagram.
func (h *Header) DataFragments() int {
	return int((uint32(h.Length) + uint32(h.Shard) - 1) / uint32(h.Shard))
}

// CapturedTime is Captured as a time.
func (h *Header) CapturedTime() time.Time { return time.UnixMicro(h.Captured) }

// fragmentLen is how many bytes of the block fragment h.Index carries.
func (h *Header) fragmentLen() int {
	if k := h.DataFragments(); int(h.Index) == k-1 {
		return h.Length - (k-1)*h.Shard
	}
	return h.Shard
}

// check holds the rules that concern single fields and their combination, but not
// the payload.
func (h *Header) check() error {
	if h.Shard < ShardUnit || h.Shard > MaxShard || h.Shard%ShardUnit != 0 ||
		h.Length < 1 || h.Length > MaxBlockBytes ||
		h.Offset < 0 || h.Offset > MaxFrameBytes-h.Length {
		return ErrInvalid
	}
	k, p := h.DataFragments(), int(h.Parity)
	switch {
	case k+ceilPow2(p) > maxFragments, // Leopard's true limit in GF(2^8)
		int(h.Index) >= k+p,
		h.Block == math.MaxUint8, // the last one's index is Blocks-1 at most
		h.Blocks != 0 && h.Block >= h.Blocks:
		return ErrInvalid
	}
	return nil
}

// ceilPow2 rounds up to a power of two; 0 stays 0.
func ceilPow2(n int) int {
	if n == 0 {
		return 0
	}
	return 1 << bits.Len(uint(n-1))
}

// AppendBinary implements encoding.BinaryAppender: it appends HeaderLen bytes. The
// error wraps ErrInvalid and names what is out of range.
func (h *Header) AppendBinary(b []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return b, fmt.Errorf("%w: block %d of %d, fragment %d, %d bytes at %d in shards of %d with %d parity",
			err, h.Block, h.Blocks, h.Index, h.Length, h.Offset, h.Shard, h.Parity)
	}
	return h.append(b), nil
}

func (h *Header) append(b []byte) []byte {
	b = h.Common.append(b, TypeData)
	b = binary.BigEndian.AppendUint32(b, h.Frame)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Captured))
	b = append(b, h.Block, h.Blocks, h.Index, h.Parity, byte(h.Shard/ShardUnit), HeaderLen/4)
	b = append(b, byte(h.Length>>16), byte(h.Length>>8), byte(h.Length))
	b = append(b, byte(h.Offset>>16), byte(h.Offset>>8), byte(h.Offset))
	return binary.BigEndian.AppendUint32(b, h.CRC)
}

// Parse reads a data datagram into h and returns its fragment, which aliases b:
// for data without a last fragment's padding, for parity a whole shard. Everything
// is checked before anything is used; after an error h means nothing. Of a sealed datagram the fragment is what
// stands between header and tag, still enciphered.
func (h *Header) Parse(b []byte) ([]byte, error) {
	var err error
	if h.Common, err = ParseCommon(b); err != nil {
		return nil, err
	}
	if h.Type != TypeData {
		return nil, ErrType
	}
	if len(b) < HeaderLen {
		return nil, ErrShort
	}
	h.Frame = binary.BigEndian.Uint32(b[20:])
	h.Captured = int64(binary.BigEndian.Uint64(b[24:]))
	h.Block, h.Blocks, h.Index, h.Parity = b[32], b[33], b[34], b[35]
	h.Shard = int(b[36]) * ShardUnit
	h.Length = int(b[38])<<16 | int(b[39])<<8 | int(b[40])
	h.Offset = int(b[41])<<16 | int(b[42])<<8 | int(b[43])
	h.CRC = binary.BigEndian.Uint32(b[44:])
	if err := h.check(); err != nil {
		return nil, err
	}
	start, end := int(b[37])*4, len(b)
	if h.Flags&FlagSealed != 0 {
		end -= SealLen
	}
	if start < HeaderLen {
		return nil, ErrInvalid
	}
	if start > end {
		return nil, ErrShort
	}
	want, payload := h.fragmentLen(), b[start:end]
	if len(payload) != want && len(payload) != h.Shard { // short or padded, nothing between
		return nil, ErrInvalid
	}
	return payload[:want], nil
}
