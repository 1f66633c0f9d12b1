package fragment

import (
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// noFiller is a Filler that fills nothing.
type noFiller struct{}

func (noFiller) Whole(*stream.Frame, uint8)                           {}
func (noFiller) Fill(*stream.Frame, uint8, []Gap, bool) *stream.Frame { return nil }

// A frame of which somebody else's repair comes first, as in a group, has not come to its end by that: the rest is
// on its way, and neither asked for nor given up.
func TestAFrameMayBeginWithARepair(t *testing.T) {
	for name, filler := range map[string]Filler{"": nil, "filling gaps": noFiller{}} {
		for _, ask := range []bool{true, false} {
			r, datagrams, now := cutFrame(t, 20*1408, 0)
			r.cfg.Filler = filler
			again := append([]byte(nil), datagrams[0]...)
			again[3] |= FlagRepair
			again[19] += 100 // its number
			if f := r.Push(now, addrA, again); f != nil {
				t.Fatal("a frame of one datagram")
			}
			path := Path{Ask: ask, RTT: time.Millisecond}
			if all := asked(t, r, now, path); len(all) > 0 || r.InProgress() != 1 {
				t.Errorf("%s at once %d requests are made, and %d frames are in progress", name, len(all), r.InProgress())
			}
			for _, d := range datagrams[1:] {
				now = now.Add(100 * time.Microsecond)
				if all := asked(t, r, now, path); len(all) > 0 {
					t.Fatalf("%s what is on its way is asked for: %+v", name, all)
				}
				if f := r.Push(now, addrA, d); f != nil {
					f.Release()
				}
			}
			if c := r.Counters(); c.Complete != 2 || c.Repaired != 1 || c.Incomplete.Sum() > 0 {
				t.Errorf("%s %+v", name, c)
			}
		}
	}
}

// The first frames of a sender that sends four datagrams at once and the rest over most of the time between two frames are neither
// given up nor asked for before they have come, also where lost strips are filled.
func TestFirstFramesMayBeSpread(t *testing.T) {
	for name, cfg := range map[string]Config{"": {}, "concealing": {Filler: noFiller{}}} {
		for _, n := range []int{5, 7, 12} {
			r, err := NewReassembler(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			s, now, complete := newSender(t, 1), time.Unix(1000, 0), 0
			for range 20 {
				frame := s.frame(64 * n)
				gap := 80 * time.Millisecond / time.Duration(n)
				for i, d := range frame.datagrams {
					if i >= 4 { // looked at each millisecond meanwhile
						for range gap / time.Millisecond {
							now = now.Add(time.Millisecond)
							r.Expire(now)
							if all := asked(t, r, now, Path{Ask: name == "", RTT: time.Millisecond}); len(all) > 0 {
								t.Fatalf("%s: asked for %+v", name, all)
							}
						}
					}
					if f := r.Push(now, addrA, d); f != nil {
						complete++
						f.Release()
					}
				}
				now = now.Add(20 * time.Millisecond)
			}
			if complete != 20 {
				t.Errorf("%s: %d of 20 frames of %d datagrams are complete: %+v", name, complete, n, r.Counters().Incomplete)
			}
		}
	}
}
