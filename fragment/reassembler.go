package fragment

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/framegram/framegram/stream"
)

// Config bounds a Reassembler before the first byte is trusted. The zero value is
// usable.
type Config struct {
	Frames   int           // frames in progress, 1..64; zero means 4
	MaxFrame int           // bytes of a frame, 1..MaxFrameBytes; zero means MaxFrameBytes
	Deadline time.Duration // how long after its last fragment an incomplete frame is kept, MaxAge after its first at most; zero means 100 ms
	Silence  time.Duration // how long the followed sender must have sent nothing usable before another is followed; zero means 500 ms
	Pool     *stream.Pool  // where frames come from; nil means one of its own
	Filler   Filler        // fills the gaps of frames that are given up as hopeless or expired; nil means that they are dropped
}

func (c Config) withDefaults() (Config, error) {
	c.Frames = cmp.Or(c.Frames, 4)
	c.MaxFrame = cmp.Or(c.MaxFrame, MaxFrameBytes)
	c.Deadline = cmp.Or(c.Deadline, 100*time.Millisecond)
	c.Silence = cmp.Or(c.Silence, 500*time.Millisecond)
	if c.Pool == nil {
		c.Pool = &stream.Pool{}
	}
	switch {
	case c.Frames < 1 || c.Frames > 64:
		return c, fmt.Errorf("fragment: Frames is %d, want 1..64", c.Frames)
	case c.MaxFrame < 1 || c.MaxFrame > MaxFrameBytes:
		return c, fmt.Errorf("fragment: MaxFrame is %d, want 1..%d", c.MaxFrame, MaxFrameBytes)
	case c.Deadline < 0 || c.Silence < 0:
		return c, errors.New("fragment: Deadline and Silence must not be negative")
	}
	return c, nil
}

// Reassembler puts frames back together. It follows one sender, that is one
// (address, session); another takes over only when the followed one has sent
// nothing usable for Config.Silence and the other has completed one frame whose
// CRCs hold. Noise therefore never takes the picture away.
//
// Data that has not come is rebuilt from parity as soon as enough of its block has. What more is
// missing the sender can be asked for: Ask says when and for what. Whoever never calls it keeps every
// frame to its deadline, since what is missing may be late.
//
// Whatever arrives, it holds at most Config.Frames + 2 buffers of Config.MaxFrame
// (one more for the moment in which one grows) and about 50 KiB of its own for each, 64 KiB
// more where parity waits in every block; and once, when something has to be rebuilt, at most
// 10 MiB for that. Buffers grow only as far as the frames do. In steady state Push allocates nothing
// (where package leopard has no kernels, its library's lists for a block that is rebuilt). Not for use by several goroutines at once.
type Reassembler struct {
	cfg        Config
	followed   *track
	candidates [maxCandidates]*track
	suspects   [256]uint64 // hashes of sources seen once, see suspect
	seed       maphash.Seed
	c          Counters // without the sequence figures of the followed track
	header     Header   // of the datagram in hand
	recents    [recents]recent
	codes      codes
	gaps       []Gap
	filled     *stream.Frame // see Filled
}

// NewReassembler checks cfg and fills in its defaults.
func NewReassembler(cfg Config) (*Reassembler, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Reassembler{cfg: cfg, seed: maphash.MakeSeed()}, nil
}

// Push takes one datagram that arrived at now from an address, borrows b until it
// returns, and returns the frame that b made complete, or nil. The frame is held
// once by the caller. Its ID is the wire's, its Captured the sender's clock; First and
// Ready are the now of its first datagram and of b. Frames come out with ever newer IDs as long as one sender is followed.
func (r *Reassembler) Push(now time.Time, from netip.AddrPort, b []byte) *stream.Frame {
	r.c.Received++
	used := r.c.Used
	f, h := r.push(now, from, b)
	if f != nil && r.cfg.Filler != nil {
		r.takeFilled().Release() // it has waited for too long
		r.cfg.Filler.Whole(f, h.Generation())
	}
	r.c.account(h, len(b), r.c.Used > used)
	if r.c.Used == used && h != nil && h.Flags&FlagRepair != 0 && r.followed != nil {
		r.followed.needless(h.Frame)
	}
	return f
}

// push returns the frame that b made complete, and b's header, nil if it has none or it is of no concern.
func (r *Reassembler) push(now time.Time, from netip.AddrPort, b []byte) (*stream.Frame, *Header) {
	if l := r.recent(now, from, b); l != nil {
		h := &l.header
		if !l.track.number(h.Sequence, &r.c) {
			return nil, h
		}
		return l.track.add(now, l.slot, &l.slot.blocks[h.Block], l.k, h, b[HeaderLen:], &r.cfg, &r.codes, &r.c), h
	}
	h := &r.header
	payload, err := h.Parse(b)
	switch {
	case err == ErrVersion:
		r.c.Dropped.OtherVersion++
		return nil, nil
	case err != nil:
		r.c.Dropped.Malformed++
		return nil, nil
	case h.Flags&FlagSealed != 0: // before it can become a candidate: it never completes anything
		r.c.Dropped.Sealed++
		return nil, nil
	}
	t := r.pick(now, source{from, h.Session}, h)
	if t == nil {
		r.c.Dropped.Stranger++
		return nil, nil // whatever it says
	}
	t.bytes += uint64(len(b))
	f := t.place(now, h, payload, &r.cfg, &r.codes, &r.c)
	switch {
	case f != nil && t != r.followed:
		r.follow(t)
	case f == nil && t == r.followed:
		r.remember(t, from, b)
	}
	return f, h
}

func (r *Reassembler) addSequences(c *Counters, s *sequences) {
	c.Sequenced += s.received
	c.Missing += s.lost()
	c.Reordered += s.reorder
}

// Expire gives up the frames whose deadline has passed, and returns when to call
// it next, or the zero time when nothing is in progress.
func (r *Reassembler) Expire(now time.Time) (next time.Time) {
	for _, t := range r.tracks() {
		if t == nil {
			continue
		}
		for i := range t.slots {
			s := &t.slots[i]
			switch due := r.deadline(s); {
			case !s.open:
			case !due.After(now):
				r.giveUp(now, t, s, &r.c.Incomplete.Expired)
			case next.IsZero() || due.Before(next):
				next = due
			}
		}
	}
	return next
}

// MaxAge is how long after its first fragment an incomplete frame is kept at most, unless Config.Deadline is longer: a frame
// of 100 kB takes that long on a link of 1 Mbit/s.
const MaxAge = time.Second

// deadline is when the frame in s is given up. As long as its fragments keep coming that is worth waiting for: on a slow
// link one frame may take longer than the pauses in the stream may last.
func (r *Reassembler) deadline(s *slot) time.Time {
	due, last := s.progress.latest.Add(r.cfg.Deadline), s.began.Add(max(MaxAge, r.cfg.Deadline))
	if due.After(last) {
		return last
	}
	return due
}

// tracks are all there are; some may be nil.
func (r *Reassembler) tracks() [maxCandidates + 1]*track {
	return [...]*track{r.followed, r.candidates[0], r.candidates[1]}
}

// Followed is the address whose frames are shown; not valid before the first frame.
func (r *Reassembler) Followed() netip.AddrPort {
	if r.followed == nil {
		return netip.AddrPort{}
	}
	return r.followed.from.addr
}

// Counters are the figures up to now.
func (r *Reassembler) Counters() Counters {
	c := r.c
	if r.followed != nil {
		r.addSequences(&c, &r.followed.seq)
	}
	return c
}

// InProgress is how many frames are open now: what Counters' balance lacks.
func (r *Reassembler) InProgress() int {
	n := 0
	for _, t := range r.tracks() {
		n += t.inProgress()
	}
	return n
}

// Close gives every buffer back to the pool and counts frames in progress as
// abandoned. The Reassembler must not be used afterwards.
func (r *Reassembler) Close() {
	r.takeFilled().Release()
	for _, t := range r.tracks() {
		t.retireAll(&r.c.Incomplete.Abandoned, everyFrame)
	}
}
