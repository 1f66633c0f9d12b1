package fragment

import (
	"hash/crc32"
	"net/netip"
	"testing"
	"time"
)

// A frame ID that comes again, when it has long been forgotten that it was given up, is another
// frame: nothing of what was remembered of the first one's blocks holds.
func TestRecentBlockOfAnotherFrame(t *testing.T) {
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	now, from, sequence := time.Now(), netip.MustParseAddrPort("10.0.0.5:5600"), uint64(0)
	push := func(frame uint32, block, blocks, index uint8, length int, captured int64, crc uint32, payload []byte) {
		h := Header{Common: Common{Session: 7, Sequence: sequence}, Frame: frame, Captured: captured,
			Block: block, Blocks: blocks, Index: index, Shard: 64, Length: length, CRC: crc}
		sequence++
		if f := r.Push(now, from, append(h.append(nil), payload...)); f != nil {
			f.Release()
		}
	}
	one, full := make([]byte, 10), make([]byte, 64)
	push(1, 0, 1, 0, 10, 1, crc32.Checksum(one, castagnoli), one) // followed from now on
	for i := range uint32(4) {
		push(100+i, 5, 0, 0, 640, 100, 0, full)
	}
	for i := range uint32(20) { // more are given up than are remembered
		now = now.Add(101 * time.Millisecond)
		r.Expire(now)
		push(200+i, 0, 0, 0, 640, 1, 0, full)
	}
	now = now.Add(101 * time.Millisecond)
	r.Expire(now)
	for i := range uint32(4) {
		push(100+i, 0, 0, 0, 640, 100, 0, full)
	}
	push(103, 5, 0, 1, 640, 100, 0, full) // of which block 5 has not been heard
	c := r.Counters()
	if c.Received != c.Used+c.Dropped.Sum() || c.Used != 1+4+20+4+1 {
		t.Errorf("%+v", c)
	}
}
