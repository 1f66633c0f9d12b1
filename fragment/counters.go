package fragment

// Counters say what became of every datagram and of every frame. They balance:
//
//	Received = Used + Dropped.Sum()
//	Complete = whole at once + Rebuilt + Repaired
//	Opened   = Complete + Incomplete.Sum() + Reassembler.InProgress()
//	Lost + LeftOut = frame IDs between the frames shown
type Counters struct {
	Received uint64  `json:"received"` // datagrams given to Push
	Used     uint64  `json:"used"`     // fragments, data or parity, that a frame in progress took
	Dropped  Dropped `json:"dropped"`

	Opened     uint64     `json:"opened"`   // frames of which a fragment came in time
	Complete   uint64     `json:"complete"` // frames returned by Push
	Rebuilt    uint64     `json:"rebuilt"`  // of which with the help of parity, and of nothing that came again
	Repaired   uint64     `json:"repaired"` // of which with fragments that came again
	Incomplete Incomplete `json:"incomplete"`
	Concealed  uint64     `json:"concealed"` // of the incomplete ones, made whole by Config.Filler
	Lost       uint64     `json:"lost"`      // frames sent between two that were shown, and not shown themselves
	LeftOut    uint64     `json:"left_out"`  // frames between two that were shown which the sender has not sent here, as far as the numbers tell
	Takeovers  uint64     `json:"takeovers"` // times another sender, or a restarted one, was followed

	Recovered uint64 `json:"recovered"` // data fragments that had not come, rebuilt from as many of parity

	Asked Asked `json:"asked"`
	Bytes Bytes `json:"bytes"`

	Sequenced uint64 `json:"sequenced"` // datagrams with a new sequence number, of all sessions followed
	Missing   uint64 `json:"missing"`   // sequence numbers that have not come
	Reordered uint64 `json:"reordered"` // datagrams that came after a later one
}

// Asked counts what the sender was asked to send again.
type Asked struct {
	Requests  uint64 `json:"requests"`  // messages
	Fragments uint64 `json:"fragments"` // that they named; 1 for a block of unknown size
	Answered  uint64 `json:"answered"`  // fragments that came again and were used
	Vain      uint64 `json:"vain"`      // that came again and were not: too late, or not lost after all
}

// Bytes are those of all datagrams given to Push, UDP payload, by what they were good for. Each datagram
// is counted once.
type Bytes struct {
	Data   uint64 `json:"data"`   // data that was used
	Parity uint64 `json:"parity"` // parity that was used
	Again  uint64 `json:"again"`  // data that came again and was used
	Vain   uint64 `json:"vain"`   // dropped: parity and copies that were not needed, and what was no use
}

// Sum is all bytes.
func (b *Bytes) Sum() uint64 { return b.Data + b.Parity + b.Again + b.Vain }

// Dropped counts datagrams by the one reason each was dropped for.
type Dropped struct {
	Malformed    uint64 `json:"malformed"`     // not framegram's, not data, or breaking a rule of the wire
	OtherVersion uint64 `json:"other_version"` // another major version of the protocol
	Sealed       uint64 `json:"sealed"`        // sealed, and there is no key
	TooLarge     uint64 `json:"too_large"`     // of a frame over Config.MaxFrame
	Stranger     uint64 `json:"stranger"`      // not of the sender that is followed
	Duplicate    uint64 `json:"duplicate"`     // came before
	Late         uint64 `json:"late"`          // of a frame that was given up, or is older than the newest complete one
	NoRoom       uint64 `json:"no_room"`       // Config.Frames are in progress and it may not displace one
	Inconsistent uint64 `json:"inconsistent"`  // contradicts what other datagrams said of the frame
	Surplus      uint64 `json:"surplus"`       // its block, or its frame, which is the newest complete one, was complete without it
}

// Sum is all dropped datagrams.
func (d *Dropped) Sum() uint64 {
	return d.Malformed + d.OtherVersion + d.Sealed + d.TooLarge + d.Stranger +
		d.Duplicate + d.Late + d.NoRoom + d.Inconsistent + d.Surplus
}

// Incomplete counts frames that were begun and given up, by reason.
type Incomplete struct {
	Superseded uint64 `json:"superseded"` // a newer frame became complete first
	Expired    uint64 `json:"expired"`    // Config.Deadline passed
	Evicted    uint64 `json:"evicted"`    // displaced by a newer frame: Config.Frames were in progress
	Hopeless   uint64 `json:"hopeless"`   // more is lost than parity, or what was asked for, can mend in time
	Broken     uint64 `json:"broken"`     // all there, but a CRC or the blocks' places were wrong
	Abandoned  uint64 `json:"abandoned"`  // another sender was followed, or a candidate lost its place
}

// Sum is all frames given up.
func (i *Incomplete) Sum() uint64 {
	return i.Superseded + i.Expired + i.Evicted + i.Hopeless + i.Broken + i.Abandoned
}

// account counts a datagram of n bytes, whose header is h, nil if it has none.
func (c *Counters) account(h *Header, n int, used bool) {
	again := h != nil && h.Flags&FlagRepair != 0
	switch {
	case !used:
		c.Bytes.Vain += uint64(n)
		if again {
			c.Asked.Vain++
		}
	case again:
		c.Asked.Answered++
		c.Bytes.Again += uint64(n)
	case int(h.Index)*h.Shard >= h.Length:
		c.Bytes.Parity += uint64(n)
	default:
		c.Bytes.Data += uint64(n)
	}
}
