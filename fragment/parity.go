package fragment

import (
	"math"
	"math/bits"
	"slices"
)

// minParity is the least parity a block gets: one would be lost with the fragment that it
// stands in for as soon as two losses meet.
const minParity = 2

// SetParity has every block of k data fragments protected by of(k) parity fragments from the
// next Split on; the viewer rebuilds a block from any k of them all. of is asked for k in
// 1..200 and says how many it would like: 0 or less is none, otherwise 2 to 128 come of it, less
// where a frame is so large for its shard that blocks leave no more room. Blocks are made smaller if the
// parity asked for needs it (k + the power of two from p on <= 256). All blocks of a frame get the
// same. nil, as at first, is none: nothing then changes on the wire.
func (s *Splitter) SetParity(of func(k int) int) { s.parity = of }

// ParityShare is SetParity's argument for that share of the data, 0..1, rounded up.
func ParityShare(share float64) func(k int) int {
	if !(share > 0) { // nor NaN
		return nil
	}
	share = min(share, 1)
	return func(k int) int { return int(math.Ceil(share*float64(k) - 1e-9)) } // 0.1 * 30 is a little over 3
}

// plan is how a frame is cut: into total fragments, in so many blocks, each with p of parity.
type plan struct{ total, blocks, p int }

// first is the frame's fragment with which block b begins: blocks are equal to within one. With
// parity the longer ones come first, which is what the order of interleave takes.
func (n plan) first(b int) int {
	if n.p > 0 {
		return b*(n.total/n.blocks) + min(b, n.total%n.blocks)
	}
	return b * n.total / n.blocks
}

// k is how many data fragments block b has.
func (n plan) k(b int) int { return n.first(b+1) - n.first(b) }

// plan is made for a frame of total fragments.
func (s *Splitter) plan(total int) plan {
	blocks := (total + maxData - 1) / maxData
	if s.parity == nil {
		return plan{total, blocks, 0}
	}
	for ; ; blocks++ { // a block of 128 has room for any parity
		k := (total + blocks - 1) / blocks
		p := s.parity(k)
		if p <= 0 {
			return plan{total, blocks, 0}
		}
		p = min(max(p, minParity), maxParity)
		switch {
		case k+ceilPow2(p) <= maxFragments:
			return plan{total, blocks, p}
		case blocks == math.MaxUint8: // no more blocks: less parity, at least 32
			return plan{total, blocks, 1 << (bits.Len(uint(maxFragments-k)) - 1)}
		}
	}
}

// protect makes the parity of every block.
func (s *Splitter) protect(jpeg []byte, n plan) error {
	s.pad(jpeg)
	if need := n.blocks * n.p * s.shard; len(s.made) < need {
		s.made = make([]byte, need+need/4)
	}
	for b := range n.blocks {
		first, k := n.first(b), n.k(b)
		shards := s.codes.block(k + n.p)
		for i := range k {
			shards[i] = s.piece(jpeg, first+i)
		}
		for j := range n.p {
			shards[k+j] = s.parityOf(n, b, j)
		}
		if err := s.codes.leopard.Encode(k, shards); err != nil {
			return err
		}
	}
	return nil
}

// interleave adds the datagrams of a frame with parity: fragment 0 of every block, fragment 1 of
// every block, and so on. So a burst of losses is shared by all blocks to within one fragment, all data
// is before all parity (blocks differ by one at most, the longer ones first), and leaving
// off the last datagrams takes parity from all blocks alike.
func (s *Splitter) interleave(jpeg []byte, n plan) {
	short, longer := n.total/n.blocks, n.total%n.blocks // as n.first and n.k, which would divide for each fragment
	for i := range n.k(0) + n.p {
		for b := range n.blocks {
			k := short
			if b < longer {
				k++
			}
			switch {
			case i < k:
				s.add(b, i, s.piece(jpeg, b*short+min(b, longer)+i))
			case i < k+n.p:
				s.add(b, i, s.parityOf(n, b, i-k))
			}
		}
	}
}

// pad copies a last fragment that is short, and fills it up with zeros: it is not the last
// datagram, and one GSO send takes datagrams of one length.
func (s *Splitter) pad(jpeg []byte) {
	s.padded = append(s.padded[:0], jpeg[len(jpeg)/s.shard*s.shard:]...)
	n := len(s.padded)
	s.padded = slices.Grow(s.padded, s.shard-n)[:s.shard]
	clear(s.padded[n:])
}

// piece is data fragment n of the frame, a whole shard.
func (s *Splitter) piece(jpeg []byte, n int) []byte {
	if from := n * s.shard; from+s.shard <= len(jpeg) {
		return jpeg[from : from+s.shard]
	}
	return s.padded
}

// parityOf is where parity fragment j of block b is made.
func (s *Splitter) parityOf(n plan, b, j int) []byte {
	from := (b*n.p + j) * s.shard
	return s.made[from : from+s.shard]
}
