package fragment

import "time"

// awaited is what was asked of a frame and when, in two groups, so that what was asked for early is not
// waited for until what was asked for late has become overdue, too.
type awaited struct {
	asks  int // requests
	fails int // times that a group became overdue of which not all had come, since something came again

	asking     bool      // something has been asked for that is not overdue
	first      time.Time // request of the earlier group; zero when it has been the later one
	askedAt    time.Time // its last
	later      bool      // what is asked for now is of the later group
	laterAt    time.Time // its last request; zero = none
	asked      bitmap    // blocks asked for as a whole and not overdue
	askedLater bitmap    // of which in the later group
}

// note takes account of a request at now.
func (a *awaited) note(now time.Time) {
	a.asks++
	switch {
	case !a.asking:
		a.asking, a.first, a.askedAt = true, now, now
	case a.later:
		a.laterAt = now
	default:
		a.askedAt = now
	}
}

// forget has everything asked for anew for which the answer is overdue.
func (t *track) forget(now time.Time, s *slot, answer time.Duration) {
	for s.asking && !now.Before(s.askedAt.Add(answer)) {
		failed := false
		for i := range s.blocks {
			b := &s.blocks[i]
			for j := range b.asked {
				failed = failed || b.got < b.data(s.shard) && b.asked[j]&^b.askedLater[j]&^b.have[j] != 0
			}
			b.asked, b.askedLater = b.askedLater, bitmap{}
		}
		for i := range max(s.count, len(s.blocks)) {
			whole := s.asked.has(uint8(i)) && !s.askedLater.has(uint8(i))
			failed = failed || whole && (i >= len(s.blocks) || s.blocks[i].length == 0 || s.blocks[i].got < s.blocks[i].data(s.shard))
		}
		if failed {
			s.fails++
			t.again, t.anyAgain = s.id, true
		}
		s.asked, s.askedLater = s.askedLater, bitmap{}
		s.asking, s.askedAt = !s.laterAt.IsZero(), s.laterAt
		s.first, s.laterAt = time.Time{}, time.Time{}
	}
}

// needless takes account of something that came again and was not needed. If its frame is the last of which something
// was asked for twice, that was too soon.
func (t *track) needless(frame uint32) {
	if t.anyAgain && frame == t.again {
		t.margin = min(t.margin*2, mostMargin)
	}
}
