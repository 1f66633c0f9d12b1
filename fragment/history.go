package fragment

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/framegram/framegram/stream"
)

const (
	// historyFrames is how many frames a History keeps. A viewer asks within a frame or two;
	// 8 are 130 ms at 60 frames a second, more than any deadline that is shorter than a frame.
	historyFrames = 8
	// historyBytes bounds what it keeps beside the newest frame.
	historyBytes = MaxFrameBytes
	// historyAge is how long a frame is of use: viewers give it up far sooner.
	historyAge = 500 * time.Millisecond
)

// History keeps the frames that were cut last, so that single fragments of them can be
// sent again: 8 frames at most, 16 MiB beside the newest, none for more than half a second. It
// copies no picture, but holds a reference to each frame until newer ones take its
// place or Drop is called. The zero value is empty and ready. It allocates nothing in steady state. Not for
// use by several goroutines at once, but for reading: between two calls of Keep or Drop
// any number of them may call Frame and use what it returns.
type History struct {
	ring [historyFrames]KeptFrame
	next int // place of the next frame
	n    int // frames kept, those before next
	size int // bytes of their JPEGs
}

// KeptFrame is one frame of a History.
type KeptFrame struct {
	id     uint32
	at     time.Time // when it was kept
	frame  *stream.Frame
	jpeg   []byte
	cut    plan
	shard  int
	blocks []byte // the header of each block's fragment 0
	padded []byte // the frame's last fragment, if it was filled up
}

// Keep keeps f, whose JPEG s has just cut as the frame id. It retains f.
func (h *History) Keep(id uint32, f *stream.Frame, s *Splitter, now time.Time) {
	for h.n == historyFrames || h.size > historyBytes || h.n > 0 && now.Sub(h.oldest().at) > historyAge {
		h.forget()
	}
	k := &h.ring[h.next]
	k.id, k.at, k.frame, k.jpeg, k.cut, k.shard = id, now, f.Retain(), f.JPEG, s.cut, s.shard
	k.blocks = append(k.blocks[:0], s.blocks...)
	k.padded = k.padded[:0]
	if s.cut.p > 0 {
		last := s.cut.blocks - 1
		k.padded = append(k.padded, s.datagrams[s.cut.place(last, s.cut.k(last)-1)].Payload...)
	}
	h.next = (h.next + 1) % historyFrames
	h.n++
	h.size += len(k.jpeg)
}

func (h *History) oldest() *KeptFrame {
	return &h.ring[(h.next+historyFrames-h.n)%historyFrames]
}

// forget gives the oldest frame up.
func (h *History) forget() {
	k := h.oldest()
	h.size -= len(k.jpeg)
	k.frame.Release()
	k.frame, k.jpeg = nil, nil
	h.n--
}

// Drop gives all frames up.
func (h *History) Drop() {
	for h.n > 0 {
		h.forget()
	}
}

// Frame is the frame with that ID, or nil if it is not kept, or too old at now.
func (h *History) Frame(id uint32, now time.Time) *KeptFrame {
	for i := range h.n {
		k := &h.ring[(h.next+historyFrames-1-i)%historyFrames]
		if k.id == id && now.Sub(k.at) <= historyAge {
			return k
		}
	}
	return nil
}

// Newest is the frame kept last, or nil.
func (h *History) Newest() *KeptFrame {
	if h.n == 0 {
		return nil
	}
	return &h.ring[(h.next+historyFrames-1)%historyFrames]
}

// Piece names one data fragment of a frame.
type Piece struct{ Block, Index uint8 }

// Wanted appends to to the data fragments of k that r asks for, each once, in the order of
// r. The others that it asks for do not exist: parity, which is not sent again, fragments
// beyond a block, whole blocks beyond the frame. Each of these counts 1. k may be nil: then nothing exists.
func (k *KeptFrame) Wanted(to []Piece, r *Repair) (wanted []Piece, gone int) {
	for i := range r.Missing {
		m := &r.Missing[i]
		have := 0
		if k != nil && int(m.Block) < k.cut.blocks {
			have = k.cut.k(int(m.Block))
		}
		whole := m.Bits == [32]byte{}
		if whole && have == 0 {
			gone++
		}
		if whole {
			for j := range have {
				to = append(to, Piece{m.Block, uint8(j)})
			}
			continue
		}
		for at, b := range m.Bits {
			for ; b != 0; b &= b - 1 {
				if j := at*8 + bits.TrailingZeros8(b); j < have {
					to = append(to, Piece{m.Block, uint8(j)})
				} else {
					gone++
				}
			}
		}
	}
	return to, gone
}

// ID is the frame's, as numbered on the wire.
func (k *KeptFrame) ID() uint32 { return k.id }

// Place is the place of a piece among the datagrams that Split made: 0 for the first one.
// As everywhere here, the piece is one that Wanted has named.
func (k *KeptFrame) Place(p Piece) int { return k.cut.place(int(p.Block), int(p.Index)) }

// Len is how many bytes the piece's datagram has.
func (k *KeptFrame) Len(p Piece) int { return HeaderLen + len(k.payload(p)) }

// Again makes the datagram of a piece as Split made it, but with FlagRepair, and with that
// session and sequence number. Its header is written to header, of HeaderLen bytes; its payload is
// valid as long as k is kept.
func (k *KeptFrame) Again(header []byte, p Piece, session, sequence uint64) Datagram {
	header = header[:HeaderLen:HeaderLen]
	copy(header, k.blocks[int(p.Block)*HeaderLen:])
	header[3] |= FlagRepair
	binary.BigEndian.PutUint64(header[4:], session)
	binary.BigEndian.PutUint64(header[12:], sequence)
	header[34] = p.Index
	return Datagram{Header: header, Payload: k.payload(p)}
}

func (k *KeptFrame) payload(p Piece) []byte {
	from := (k.cut.first(int(p.Block)) + int(p.Index)) * k.shard
	if from+k.shard > len(k.jpeg) && len(k.padded) > 0 {
		return k.padded
	}
	return k.jpeg[from:min(from+k.shard, len(k.jpeg))]
}
