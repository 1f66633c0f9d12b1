package fragment

import "math/bits"

const (
	windowSize = 4096    // sequence numbers remembered behind the highest
	maxLeap    = 1 << 24 // sequence numbers one datagram may be ahead: 40 s at 400 000 a second
)

// sequences follows the sequence numbers of one session: which came, which did
// not, which came twice. It remembers the last windowSize numbers.
type sequences struct {
	started  bool
	first    uint64 // lowest number counted
	highest  uint64
	seen     [windowSize / 64]uint64 // a ring: bit n%windowSize for number n
	received uint64                  // different numbers
	reorder  uint64                  // came after a higher one
}

type verdict uint8

const (
	fresh    verdict = iota
	again            // came before
	stale            // behind the window: nobody can tell
	farAhead         // no sender gets there: a damaged number
)

// check says what see would, and changes nothing.
func (s *sequences) check(n uint64) verdict {
	switch {
	case !s.started:
		return fresh
	case n > s.highest:
		if n-s.highest > maxLeap {
			return farAhead
		}
		return fresh
	case s.highest-n >= windowSize:
		return stale
	case s.bit(n):
		return again
	}
	return fresh
}

// see records n, for which check said fresh.
func (s *sequences) see(n uint64) {
	switch {
	case !s.started:
		s.started, s.first, s.highest = true, n, n
	case n > s.highest:
		if n > s.highest+1 {
			s.forget(s.highest+1, n-1)
		}
		s.highest = n
	default:
		s.reorder++
		s.first = min(s.first, n)
	}
	s.received++
	s.seen[n/64%uint64(len(s.seen))] |= 1 << (n % 64)
}

// lost is how many numbers up to the highest have not come (yet).
func (s *sequences) lost() uint64 {
	if !s.started {
		return 0
	}
	return s.highest - s.first + 1 - s.received
}

func (s *sequences) bit(n uint64) bool {
	return s.seen[n/64%uint64(len(s.seen))]>>(n%64)&1 != 0
}

// forget clears the ring's bits for the numbers from..to, which enter the window.
func (s *sequences) forget(from, to uint64) {
	count := to - from + 1
	if count >= windowSize {
		clear(s.seen[:])
		return
	}
	for i := range count { // counted: to may be the last number there is
		n := from + i
		s.seen[n/64%uint64(len(s.seen))] &^= 1 << (n % 64)
	}
}

// bitmap marks the fragments of one block that have come.
type bitmap [maxFragments / 64]uint64

// has reports whether fragment i has come.
func (m *bitmap) has(i uint8) bool { return m[i/64]>>(i%64)&1 != 0 }

// set marks fragment i and reports whether it was new.
func (m *bitmap) set(i uint8) bool {
	mask := uint64(1) << (i % 64)
	if m[i/64]&mask != 0 {
		return false
	}
	m[i/64] |= mask
	return true
}

// lacks are the fragments from..to-1 that have not come.
func (m *bitmap) lacks(from, to int) (l bitmap) {
	for i := range l {
		l[i] = ^m[i] & lowBits(to-64*i) &^ lowBits(from-64*i)
	}
	return l
}

// lowBits has the n lowest bits set; n may be anything.
func lowBits(n int) uint64 { return 1<<min(max(n, 0), 64) - 1 }

// count is how many are marked.
func (m bitmap) count() (n int) {
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}
