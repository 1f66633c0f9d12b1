package fragment

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/framegram/framegram/internal/crc32c"
)

// maxData is the most data fragments a block is given: 200 leave room for 32
// parity fragments (16 %), see Header.
const maxData = 200

// FrameTooLargeError reports a frame that cannot be sent. Both sizes are in bytes.
type FrameTooLargeError struct{ Size, Max int }

func (e *FrameTooLargeError) Error() string {
	return fmt.Sprintf("fragment: frame of %d bytes is over the limit of %d: lower the quality or the size", e.Size, e.Max)
}

// Splitter cuts frames into datagrams. It is cut once for all destinations: for
// each, Stamp fills in what differs, and the datagrams are sent before the next
// Stamp. Not for use by several goroutines at once. In steady state it allocates
// nothing; with parity where package leopard has no kernels, its library's lists.
type Splitter struct {
	shard     int
	datagrams []Datagram
	headers   []byte // HeaderLen bytes each, beside one another
	blocks    []byte // the header of each block's fragment 0
	cut       plan   // of the frame cut last

	generation uint8 // see SetGeneration

	parity func(k int) int // see SetParity; nil for none
	codes  codes
	padded []byte // the frame's last fragment, filled up
	made   []byte // parity
}

// Datagram is one datagram of the frame cut last: two pieces, so that the picture
// is not copied on its way to the socket. Both are valid until the next Split, and
// Header changes with the next Stamp.
type Datagram struct {
	Header  []byte // HeaderLen bytes, owned by the Splitter
	Payload []byte // 1..shard bytes: part of the frame given to Split, or the Splitter's where that is not enough (SetParity)
}

// NewSplitter returns a Splitter for shards of that many bytes, a multiple of 64 in
// 64..16320: see ShardFor.
func NewSplitter(shard int) (*Splitter, error) {
	s := &Splitter{}
	return s, s.SetShard(shard)
}

// SetShard changes the shard size from the next Split on, as when the MTU fell.
func (s *Splitter) SetShard(shard int) error {
	if shard < ShardUnit || shard > MaxShard || shard%ShardUnit != 0 {
		return fmt.Errorf("fragment: shard size is %d, want a multiple of %d in %d..%d", shard, ShardUnit, ShardUnit, MaxShard)
	}
	s.shard = shard
	return nil
}

// Shard is the shard size in bytes.
func (s *Splitter) Shard() int { return s.shard }

// MaxFrame is the largest frame in bytes that Split takes with the current shard:
// MaxFrameBytes, or what 255 blocks hold where shards are very small.
func (s *Splitter) MaxFrame() int { return min(MaxFrameBytes, math.MaxUint8*maxData*s.shard) }

// Split cuts jpeg, which it borrows until the next Split, into datagrams for the
// frame id captured at that time (µs since the Unix epoch). The datagrams stand in
// the order in which they are to be sent, and are valid until the next Split. All
// are of one length but the last, with parity that one, too. An
// empty frame is an error, one over MaxFrame a *FrameTooLargeError.
func (s *Splitter) Split(id uint32, captured int64, jpeg []byte) ([]Datagram, error) {
	s.datagrams, s.headers = s.datagrams[:0], s.headers[:0]
	switch {
	case len(jpeg) == 0:
		return nil, fmt.Errorf("%w: frame %d is empty", ErrInvalid, id)
	case len(jpeg) > s.MaxFrame():
		return nil, &FrameTooLargeError{Size: len(jpeg), Max: s.MaxFrame()}
	}
	// Blocks are equal to within one fragment, so that none is so short that a few
	// losses exceed its parity; all but the last are whole fragments, so that only
	// the frame's very last datagram is short and a GSO train is not broken.
	n := s.plan((len(jpeg) + s.shard - 1) / s.shard)
	s.cut = n
	s.reserve(n)
	for b := range n.blocks {
		from, to := n.first(b)*s.shard, min(n.first(b+1)*s.shard, len(jpeg))
		h := Header{
			Common: Common{Flags: s.generation << 4},
			Frame:  id, Captured: captured,
			Block: uint8(b), Blocks: uint8(n.blocks), Parity: uint8(n.p),
			Shard: s.shard, Offset: from, Length: to - from,
			CRC: crc32c.Checksum(jpeg[from:to]),
		}
		s.blocks = h.append(s.blocks)
	}
	if n.p > 0 {
		if err := s.protect(jpeg, n); err != nil {
			return nil, err
		}
		s.interleave(jpeg, n)
		return s.datagrams, nil
	}
	for b := range n.blocks {
		for i := range n.k(b) {
			at := (n.first(b) + i) * s.shard
			s.add(b, i, jpeg[at:min(at+s.shard, len(jpeg))])
		}
	}
	return s.datagrams, nil
}

// reserve makes room first, so that the datagrams' headers do not move.
func (s *Splitter) reserve(n plan) {
	if all := n.total + n.blocks*n.p; cap(s.datagrams) < all {
		s.datagrams = make([]Datagram, 0, all+all/4)
		s.headers = make([]byte, 0, cap(s.datagrams)*HeaderLen)
	}
	s.blocks = slices.Grow(s.blocks[:0], n.blocks*HeaderLen)
}

// add makes the datagram of a block's fragment, of which the block's header says all but the index.
func (s *Splitter) add(block, index int, payload []byte) {
	from := len(s.headers)
	s.headers = append(s.headers, s.blocks[block*HeaderLen:(block+1)*HeaderLen]...)
	h := s.headers[from:len(s.headers):len(s.headers)]
	h[34] = uint8(index)
	s.datagrams = append(s.datagrams, Datagram{Header: h, Payload: payload})
}

// Stamp makes datagrams i to j-1 those of one destination, to which they are about to be
// sent: its session, and its sequence numbers, of which first is that of datagram 0. So
// several destinations can take turns within one frame.
func (s *Splitter) Stamp(i, j int, session, first uint64) {
	for ; i < j; i++ {
		h := s.datagrams[i].Header
		binary.BigEndian.PutUint64(h[4:], session)
		binary.BigEndian.PutUint64(h[12:], first+uint64(i))
	}
}
