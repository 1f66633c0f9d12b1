package udp

import (
	"math/rand/v2"
	"testing"
	"time"
)

// However much is wanted, what is paid stays within a share of what is earned, with what
// was saved up; and who wants a tenth of it gets all of that.
func TestPurse(t *testing.T) {
	const frame, size = 65_000, 1456
	for name, tt := range map[string]struct {
		wants   float64 // of what is sent
		exactly bool
	}{
		"everything": {wants: 3},
		"a ninth":    {wants: 1. / 9, exactly: true},
		"a fifth":    {wants: 0.2, exactly: true},
	} {
		p := purse{floor: repairFloor}
		now := time.Unix(1000, 0)
		began, earned, wanted, paid, owed := now, 0.0, 0.0, 0.0, 0.0
		for range 3000 {
			now = now.Add(time.Second / 30)
			p.earn(now, frame)
			earned += frame
			for owed += tt.wants * frame; owed >= size; owed -= size {
				wanted += size
				if p.pay(now, size) {
					paid += size
				}
			}
		}
		secs := now.Sub(began).Seconds()
		if most := repairShare*earned + repairFloor*(secs+1); paid > most || !tt.exactly && paid < 0.9*most {
			t.Errorf("%s: %.0f bytes of %.0f in %.0f s, want no more than %.0f and nearly as much", name, paid, wanted, secs, most)
		}
		if tt.exactly && paid != wanted {
			t.Errorf("%s: %.0f bytes of %.0f", name, paid, wanted)
		}
	}
}

// After a rest no more is there than a second of the floor brings; it is refunded, and times that go back do no harm.
func TestPurseSavesLittle(t *testing.T) {
	now := time.Unix(1000, 0)
	p := purse{floor: 1000}
	for range 10 {
		now = now.Add(100 * time.Millisecond)
		p.earn(now, 100_000)
	}
	if want := 0.25*1e6 + 1000; p.most() > want || p.have < 0.2*1e6 {
		t.Errorf("%.0f of at most %.0f, want up to %.0f", p.have, p.most(), want)
	}
	now = now.Add(time.Hour)
	if p.pay(now, 1001) || !p.pay(now, 1000) || p.pay(now.Add(-time.Minute), 1) {
		t.Errorf("after an hour there is %+v", p)
	}
	if p.refund(500); !p.pay(now, 500) || p.pay(now, 1) {
		t.Errorf("after a refund there is %+v", p)
	}
}

// A stream of 47 datagrams 30 times a second that loses one in ten, repairs too, or in bursts, is repaired
// whole from the budget, also for the only member of a group.
func TestBudgetIsEnoughForHeavyLoss(t *testing.T) {
	const each, size = 47, 1456
	for seed := range uint64(3) {
		for name, bursts := range map[string]bool{"one in ten": false, "bursts": true} {
			for _, who := range []*member{nil, {}} {
				r := rand.New(rand.NewPCG(seed, 1))
				bad := false
				lost := func() bool {
					if !bursts {
						return r.Float64() < 0.1
					}
					if bad { // of 5 on average, 2 % of all
						bad = r.Float64() >= 1./5
					} else {
						bad = r.Float64() < 0.02/0.98/5
					}
					return bad
				}
				a := again{purse: purse{floor: repairFloor}, lane: &lane{}}
				a.lane.repairs.floor = laneFloor
				now, sent, again := time.Unix(1000, 0), 0, 0
				for range 1800 {
					now = now.Add(time.Second / 30)
					for range each {
						for gone := lost(); gone; gone = lost() {
							if !a.pay(now.Add(5*time.Millisecond), size, who) {
								t.Fatalf("%s, seed %d: after %d datagrams and %d repairs none is left: %+v", name, seed, sent, again, a.purse)
							}
							again++
						}
						sent++
					}
					a.purse.earn(now, each*size)
					a.lane.repairs.earn(now, each*size)
				}
				if again < sent/60 {
					t.Fatalf("%s: %d repairs of %d", name, again, sent)
				}
			}
		}
	}
}
