package fragment

// A fragment of parity that comes before its block can be rebuilt waits in the place of a data
// fragment that has not come. So parity costs no memory beyond the frame's, whatever a header
// claims. There is always such a place: of a block that still cannot be rebuilt, more data
// fragments have not come than parity waits, and but the last one all are whole shards. The fragment
// with which a block can be rebuilt is used where it stands, in the datagram.

// waiting is a parity fragment in a data fragment's place. Both are counted in the block.
type waiting struct{ index, place uint8 }

// keep puts away a fragment of b, with which b is not complete yet. The caller has checked that it is new.
func (s *slot) keep(b *block, h *Header, k int, payload []byte) {
	if int(h.Index) < k {
		b.got++
		if len(b.parked) > 0 {
			s.vacate(b, h.Index)
		}
		copy(s.frame.JPEG[b.offset+int(h.Index)*s.shard:], payload)
		return
	}
	place := b.vacant(s.shard)
	b.parked = append(b.parked, waiting{h.Index, place})
	copy(s.at(b, int(place)), payload)
}

// vacate moves the parity that waits in place, if any does.
func (s *slot) vacate(b *block, place uint8) {
	for i := range b.parked {
		if w := &b.parked[i]; w.place == place {
			w.place = b.vacant(s.shard)
			copy(s.at(b, int(w.place)), s.at(b, int(place)))
			return
		}
	}
}

// vacant is the place of a whole data fragment that has not come, and in which nothing waits.
func (b *block) vacant(shard int) uint8 {
	used := b.have
	for _, w := range b.parked {
		used.set(w.place)
	}
	i := uint8(0)
	for i < uint8(b.length/shard) && !used.set(i) {
		i++
	}
	return i
}

// at is the place of data fragment i of b: whole but for a short last one.
func (s *slot) at(b *block, i int) []byte {
	from := b.offset + i*s.shard
	return s.frame.JPEG[from:min(from+s.shard, b.offset+b.length)]
}

// finish completes b with the fragment of h, which is the last that it needs, and returns how many
// data fragments had to be rebuilt for it. The frame's buffer has room for b. Whether
// all is as it was sent only the CRC can tell.
func (s *slot) finish(b *block, h *Header, k int, payload []byte, c *codes) (rebuilt int, err error) {
	b.got++
	if b.got == k && int(h.Index) < k { // the rule: all data, no parity
		copy(s.at(b, int(h.Index)), payload)
		return 0, nil
	}
	rebuilt = len(b.parked)
	if int(h.Index) >= k {
		rebuilt++
	}
	shards, room := c.block(k+int(b.parity)), c.scratch((rebuilt+1)*s.shard)
	padded, room := room[:s.shard], room[s.shard:]
	for i := range k {
		switch {
		case i == int(h.Index):
			shards[i] = s.whole(payload, padded)
		case b.have.has(uint8(i)):
			shards[i] = s.whole(s.at(b, i), padded)
		default: // empty, with the room to write it
			shards[i], room = room[:0:s.shard], room[s.shard:]
		}
	}
	for _, w := range b.parked {
		shards[w.index] = s.at(b, int(w.place))
	}
	if int(h.Index) >= k {
		shards[h.Index] = payload
	}
	if err := c.leopard.Rebuild(k, shards); err != nil {
		return 0, err
	}
	for i := range k { // nothing waits any more where this writes
		if i == int(h.Index) || !b.have.has(uint8(i)) {
			copy(s.at(b, i), shards[i])
		}
	}
	b.got = k
	return rebuilt, nil
}

// whole is a data fragment as it was coded: a short one is filled up with zeros.
func (s *slot) whole(fragment, padded []byte) []byte {
	if len(fragment) == s.shard {
		return fragment
	}
	clear(padded[copy(padded, fragment):])
	return padded
}
