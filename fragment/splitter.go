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
	wire      []byte     // the datagrams, one behind the other
	laid      []Datagram // where they stand in wire if all are whole,
	laidFor   int        // with shards of so many bytes
	datagrams []Datagram // of the frame cut last, as are
	blocks    []byte     // the header of each block's fragment 0, and
	cut       plan

	generation uint8 // see SetGeneration

	parity func(k int) int // see SetParity; nil for none
	codes  codes
}

// Datagram is one datagram of the frame cut last: two pieces that lie one behind the other in
// memory, as do a frame's datagrams. So a train of them is one piece to the kernel, which saves more than
// copying the frame once costs. Both belong to the Splitter and are valid until the next
// Split; Header changes with the next Stamp.
type Datagram struct {
	Header  []byte // HeaderLen bytes
	Payload []byte // 1..shard bytes
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

// Split cuts jpeg, which it borrows until it returns, into datagrams for the frame id
// captured at that time (µs since the Unix epoch). The datagrams stand in the order in
// which they are to be sent, and are valid until the next Split. All are of one length but
// the last, with parity that one, too. An empty frame is an error, one over MaxFrame a
// *FrameTooLargeError.
func (s *Splitter) Split(id uint32, captured int64, jpeg []byte) ([]Datagram, error) {
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
	s.lay()
	for b := range n.blocks {
		h := Header{
			Common: Common{Flags: s.generation << 4},
			Frame:  id, Captured: captured,
			Block: uint8(b), Blocks: uint8(n.blocks), Parity: uint8(n.p),
			Shard: s.shard,
		}
		h.Offset, h.Length, h.CRC = s.place(b, jpeg)
		s.blocks = h.append(s.blocks)
		s.heads(b)
		if n.p > 0 {
			if err := s.protect(b, jpeg); err != nil {
				return nil, err
			}
		}
	}
	return s.datagrams, nil
}

// lay makes room for the datagrams of s.cut. Where whole ones stand is the same for every frame.
func (s *Splitter) lay() {
	all, each := s.cut.total+s.cut.blocks*s.cut.p, HeaderLen+s.shard
	if len(s.wire) < all*each {
		s.wire, s.laidFor = make([]byte, (all+all/4)*each), 0
	}
	if s.laidFor != s.shard {
		s.laid, s.laidFor = s.laid[:0], s.shard
		for rest := s.wire; len(rest) >= each; rest = rest[each:] {
			s.laid = append(s.laid, Datagram{Header: rest[:HeaderLen:HeaderLen], Payload: rest[HeaderLen:each:each]})
		}
	}
	s.datagrams = append(s.datagrams[:0], s.laid[:all]...)
	s.blocks = slices.Grow(s.blocks[:0], s.cut.blocks*HeaderLen)
}

// place writes the data of block b to where its datagrams stand, and returns where in the frame it begins, its
// length and its CRC. With parity a last fragment that is short is filled up with zeros: it is not the last datagram,
// and one GSO send takes datagrams of one length.
func (s *Splitter) place(b int, jpeg []byte) (offset, length int, crc uint32) {
	n, each := s.cut, HeaderLen+s.shard
	offset = n.first(b) * s.shard
	data := jpeg[offset:min(n.first(b+1)*s.shard, len(jpeg))]
	step := n.place(b, 1) - n.place(b, 0)
	crc = crc32c.Deal(s.wire[n.place(b, 0)*each+HeaderLen:], step*each, data, s.shard)
	if short := len(data) % s.shard; short != 0 {
		d := &s.datagrams[n.place(b, n.k(b)-1)]
		if n.p > 0 {
			clear(d.Payload[short:])
		} else {
			d.Payload = d.Payload[:short:short]
		}
	}
	return offset, len(data), crc
}

// heads writes the headers of block b.
func (s *Splitter) heads(b int) {
	block := (*[HeaderLen]byte)(s.blocks[b*HeaderLen:])
	at, step := s.cut.place(b, 0), s.cut.place(b, 1)-s.cut.place(b, 0)
	for i := range s.cut.k(b) + s.cut.p {
		h := (*[HeaderLen]byte)(s.datagrams[at+i*step].Header)
		*h = *block
		h[indexAt] = uint8(i)
	}
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
