package fragment

import (
	"math"
	"math/bits"
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

// place is which datagram of the frame fragment i of block b is. With parity it is fragment 0 of
// every block, fragment 1 of every block, and so on, data first. So a burst of losses is shared by all
// blocks to within one fragment, all data is before all parity (blocks differ by one at most,
// the longer ones first), and leaving off the last datagrams takes parity from all blocks alike.
func (n plan) place(b, i int) int {
	if n.p > 0 {
		return i*n.blocks + b
	}
	return n.first(b) + i
}

// protect makes the parity of a block whose data is in its place.
func (s *Splitter) protect(b int, jpeg []byte) error {
	n := s.cut
	first, k := n.first(b), n.k(b)
	shards := s.codes.block(k + n.p)
	for i := range k {
		if from := (first + i) * s.shard; from+s.shard <= len(jpeg) {
			shards[i] = jpeg[from : from+s.shard]
		} else { // filled up
			shards[i] = s.datagrams[n.place(b, i)].Payload
		}
	}
	for j := range n.p {
		shards[k+j] = s.datagrams[n.place(b, k+j)].Payload
	}
	return s.codes.leopard.Encode(k, shards)
}
