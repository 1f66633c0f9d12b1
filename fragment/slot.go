package fragment

import (
	"time"

	"github.com/framegram/framegram/internal/crc32c"
	"github.com/framegram/framegram/stream"
)

// slot is one frame in progress. Every fragment is copied once, straight to its
// place in the frame, before anything else of the frame is known.
type slot struct {
	open     bool
	opening  uint64 // counts the frames opened: an ID may come again
	id       uint32
	captured int64
	began    time.Time // first fragment
	shard    int
	count    int           // blocks of the frame; 0 = not said yet
	done     int           // blocks complete
	blocks   []block       // by index, as far as heard of
	rebuilt  bool          // a block of it had to be
	repaired bool          // fragments of it came again
	frame    *stream.Frame // its JPEG's capacity is the buffer; nil when closed
	extent   int           // bytes from the start up to the last one written

	generation  uint8
	interleaved bool // blocks take turns, see place
	progress    progress
	awaited
}

// block is what the fragments of one block agree on, and which have come.
type block struct {
	claim
	got        int // data fragments in their places: all, once it is complete
	have       bitmap
	asked      bitmap    // data fragments asked for that are not overdue
	askedLater bitmap    // of which in the later group, see awaited
	parked     []waiting // parity, until the block can be rebuilt
}

// data is how many data fragments b has, 0 as long as nothing of it has come.
func (b *block) data(shard int) int { return (b.length + shard - 1) / shard }

// claim is what each datagram says of its whole block.
type claim struct {
	length, offset int // length 0: nothing has come
	crc            uint32
	parity, blocks uint8
}

// begin opens the slot for h's frame.
func (s *slot) begin(now time.Time, h *Header) {
	*s = slot{open: true, id: h.Frame, captured: h.Captured, generation: h.Generation(), began: now, shard: h.Shard, blocks: s.blocks[:0], progress: progress{marked: now, latest: now}}
}

// close gives the buffer back.
func (s *slot) close() {
	if s.frame != nil {
		s.frame.Release()
	}
	s.open, s.frame = false, nil
}

// agree returns h's block, or nil when h contradicts what was said before. The
// first datagram of a frame, and of a block, is believed: its CRC decides later.
func (s *slot) agree(h *Header) *block {
	if h.Captured != s.captured || h.Shard != s.shard || (s.count != 0 && h.Blocks != 0 && int(h.Blocks) != s.count) ||
		(s.count != 0 && int(h.Block) >= s.count) || (h.Blocks != 0 && len(s.blocks) > int(h.Blocks)) {
		return nil
	}
	for len(s.blocks) <= int(h.Block) { // at most 255
		if n := len(s.blocks); n < cap(s.blocks) {
			s.blocks = s.blocks[:n+1]
			s.blocks[n] = block{parked: s.blocks[n].parked[:0]}
		} else {
			s.blocks = append(s.blocks, block{})
		}
	}
	b, c := &s.blocks[h.Block], claim{h.Length, h.Offset, h.CRC, h.Parity, h.Blocks}
	if b.length == 0 {
		b.claim = c
	} else if b.claim != c {
		return nil
	}
	if h.Blocks != 0 {
		s.count = int(h.Blocks)
	}
	return b
}

// grow makes the buffer hold end bytes, which is at most Config.MaxFrame. The
// first buffer is as large as recent frames were (hint), so that it rarely grows;
// when it does it doubles, so that no order of blocks makes the copying quadratic.
func (s *slot) grow(cfg *Config, hint, end int) {
	if s.frame == nil || cap(s.frame.JPEG) < end {
		if s.frame != nil {
			hint = 2 * cap(s.frame.JPEG)
		}
		larger := cfg.Pool.Get(max(end, min(hint, cfg.MaxFrame)))
		larger.JPEG = larger.JPEG[:cap(larger.JPEG)]
		if s.frame != nil {
			copy(larger.JPEG, s.frame.JPEG[:s.extent])
			s.frame.Release()
		}
		s.frame = larger
	}
	s.extent = max(s.extent, end)
}

// sound reports whether a complete block is what was sent.
func (s *slot) sound(b *block) bool {
	return crc32c.Checksum(s.frame.JPEG[b.offset:b.offset+b.length]) == b.crc
}

// size is the frame's length in bytes, or 0 when its blocks do not lie one behind
// the other from the first byte on. That they do proves that none of them was
// written over by another.
func (s *slot) size() int {
	end := 0
	for i := range s.blocks {
		if s.blocks[i].offset != end {
			return 0
		}
		end += s.blocks[i].length
	}
	return end
}
