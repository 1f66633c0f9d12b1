package fragment

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// maxMissing bounds the blocks of one request: 255 bitmaps of 32 bytes would not
// fit a datagram, and a frame that misses so much is not worth asking for.
const maxMissing = 32

// MaxRepairLen is the length of the longest Repair's datagram in bytes.
const MaxRepairLen = CommonLen + 16 + maxMissing*(2+32)

// Repair asks for fragments of one frame to be sent again.
type Repair struct {
	Common         // Session is the viewer's own
	Of      uint64 // the sender's session
	Frame   uint32
	Missing []Missing // 1..32 blocks, by ascending index
}

// Missing names the data fragments of one block that are wanted. No bits at all
// mean the whole block: nothing of it has come, so its size is not known.
type Missing struct {
	Block uint8
	Bits  [32]byte // fragment i is bit i%8 (least significant first) of byte i/8
}

// Count is how many fragments m names; 0 stands for the whole block.
func (m *Missing) Count() (n int) {
	for _, b := range m.Bits {
		n += bits.OnesCount8(b)
	}
	return n
}

// AppendBinary implements encoding.BinaryAppender. The error wraps ErrInvalid.
func (r *Repair) AppendBinary(b []byte) ([]byte, error) {
	if len(r.Missing) < 1 || len(r.Missing) > maxMissing {
		return b, fmt.Errorf("%w: a repair request for %d blocks, want 1..%d", ErrInvalid, len(r.Missing), maxMissing)
	}
	start := len(b)
	b = binary.BigEndian.AppendUint64(r.Common.append(b, TypeRepair), r.Of)
	b = binary.BigEndian.AppendUint32(b, r.Frame)
	b = append(b, byte(len(r.Missing)), 0, 0, 0)
	for i := range r.Missing {
		m := &r.Missing[i]
		if i > 0 && m.Block <= r.Missing[i-1].Block {
			return b[:start], fmt.Errorf("%w: a repair request for block %d behind block %d", ErrInvalid, m.Block, r.Missing[i-1].Block)
		}
		n := len(m.Bits)
		for n > 0 && m.Bits[n-1] == 0 {
			n--
		}
		b = append(append(b, m.Block, byte(n)), m.Bits[:n]...)
	}
	return b, nil
}

// Parse reads b. r.Missing's memory is used again; after an error r means nothing.
func (r *Repair) Parse(b []byte) error {
	c, d, err := body(b, TypeRepair, 16)
	if err != nil {
		return err
	}
	n := int(d[12])
	if n < 1 || n > maxMissing {
		return ErrInvalid
	}
	*r = Repair{Common: c, Of: binary.BigEndian.Uint64(d), Frame: binary.BigEndian.Uint32(d[8:]), Missing: r.Missing[:0]}
	for d = d[16:]; n > 0; n-- {
		if len(d) < 2 {
			return ErrShort
		}
		m, size := Missing{Block: d[0]}, int(d[1])
		switch {
		case size > len(m.Bits), size > 0 && len(d) >= 2+size && d[1+size] == 0: // trailing zeros are not sent
			return ErrInvalid
		case len(d) < 2+size:
			return ErrShort
		case len(r.Missing) > 0 && m.Block <= r.Missing[len(r.Missing)-1].Block: // each once: no amplification
			return ErrInvalid
		}
		copy(m.Bits[:], d[2:2+size])
		r.Missing = append(r.Missing, m)
		d = d[2+size:]
	}
	return nil
}
