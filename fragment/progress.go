package fragment

// Progress is what has come of the session that is followed, since its first datagram.
type Progress struct {
	Session   uint64
	Frame     uint32 // newest complete one
	Highest   uint64 // sequence number received
	Received  uint64 // datagrams, copies not counted
	Missing   uint64 // sequence numbers up to Highest that have not come
	Reordered uint64 // datagrams that came after one with a higher number
}

// Progress is false as long as nobody is followed.
func (r *Reassembler) Progress() (Progress, bool) {
	t := r.followed
	if t == nil {
		return Progress{}, false
	}
	return Progress{
		Session: t.from.session, Frame: t.newest, Highest: t.seq.highest,
		Received: t.seq.received, Missing: t.seq.lost(), Reordered: t.seq.reorder,
	}, true
}
