package fragment

// Counters say what became of every datagram and of every frame. They balance:
//
//	Received = Used + Dropped.Sum()
//	Opened   = Complete + Incomplete.Sum() + Reassembler.InProgress()
//	Lost     = frame IDs between complete frames that were not completed
type Counters struct {
	Received uint64  `json:"received"` // datagrams given to Push
	Used     uint64  `json:"used"`     // fragments, data or parity, that a frame in progress took
	Dropped  Dropped `json:"dropped"`

	Opened     uint64     `json:"opened"`   // frames of which a fragment came in time
	Complete   uint64     `json:"complete"` // frames returned by Push
	Rebuilt    uint64     `json:"rebuilt"`  // of which only with the help of parity
	Incomplete Incomplete `json:"incomplete"`
	Lost       uint64     `json:"lost"`      // frames sent between two complete ones that did not become complete
	Takeovers  uint64     `json:"takeovers"` // times another sender, or a restarted one, was followed

	Recovered uint64 `json:"recovered"` // data fragments that had not come, rebuilt from as many of parity

	Sequenced uint64 `json:"sequenced"` // datagrams with a new sequence number, of all sessions followed
	Missing   uint64 `json:"missing"`   // sequence numbers that have not come
	Reordered uint64 `json:"reordered"` // datagrams that came after a later one
}

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
	Broken     uint64 `json:"broken"`     // all there, but a CRC or the blocks' places were wrong
	Abandoned  uint64 `json:"abandoned"`  // another sender was followed, or a candidate lost its place
}

// Sum is all frames given up.
func (i *Incomplete) Sum() uint64 {
	return i.Superseded + i.Expired + i.Evicted + i.Broken + i.Abandoned
}
