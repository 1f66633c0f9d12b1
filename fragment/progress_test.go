package fragment

import (
	"net/netip"
	"testing"
	"time"
)

func TestProgressIsTheFollowedSessions(t *testing.T) {
	r, err := NewReassembler(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if p, ok := r.Progress(); ok {
		t.Errorf("nobody is followed, and there is %+v", p)
	}
	s, err := NewSplitter(64)
	if err != nil {
		t.Fatal(err)
	}
	from, now := netip.MustParseAddrPort("10.0.0.1:1"), time.Unix(1000, 0)
	push := func(frame uint32, session, first uint64, order ...int) {
		t.Helper()
		ds, err := s.Split(frame, 0, picture(uint64(frame), 64*4))
		if err != nil {
			t.Fatal(err)
		}
		s.Stamp(0, len(ds), session, first)
		for _, i := range order {
			if f := r.Push(now, from, append(append([]byte{}, ds[i].Header...), ds[i].Payload...)); f != nil {
				f.Release()
			}
		}
	}
	push(7, 5, 100, 0, 1, 3, 2) // one too late
	push(8, 5, 104, 0, 3, 3)    // two missing, one twice
	push(9, 5, 108, 0, 1, 2, 3)
	want := Progress{Head: Opened{Frame: 9, At: now}, From: from, Session: 5, Complete: 2, Frame: 9, Highest: 111, Received: 10, Missing: 2, Reordered: 1}
	if p, ok := r.Progress(); p != want || !ok {
		t.Errorf("got %+v, want %+v", p, want)
	}
	now = now.Add(time.Second) // the sender is started again
	push(1, 6, 0, 0, 1, 2, 3)
	want = Progress{Head: Opened{Frame: 1, At: now}, From: from, Session: 6, Complete: 1, Frame: 1, Highest: 3, Received: 4}
	if p, _ := r.Progress(); p != want {
		t.Errorf("of the next session: got %+v, want %+v", p, want)
	}
}
