package udp

import (
	"bytes"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// reporting is a viewer made of what reports are made of, with frames and time passed in.
type reporting struct {
	t    *testing.T
	r    *Receiver
	cut  *fragment.Splitter
	now  time.Time
	id   uint32
	seq  uint64
	late time.Duration // frames are on their way for so much longer
	each uint32        // of so many frames, after one it is asked for a report

	reports []fragment.Report
	at      []time.Time
}

func newReporting(t *testing.T) *reporting {
	t.Helper()
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	return &reporting{t: t, r: &Receiver{frames: reassembler(t)}, cut: cut, now: time.Unix(1000, 0), each: 5}
}

// play has d pass, at 50 frames a second, of every lossy'th of which a datagram is lost (0 = of none).
func (p *reporting) play(d time.Duration, lossy int) {
	p.t.Helper()
	p.reports, p.at = nil, nil
	for end := p.now.Add(d); p.now.Before(end); p.now = p.now.Add(20 * time.Millisecond) {
		p.id++
		all, err := p.cut.Split(p.id, p.now.UnixMicro(), make([]byte, 5000))
		if err != nil {
			p.t.Fatal(err)
		}
		p.cut.Stamp(0, len(all), 5, p.seq)
		p.seq += uint64(len(all))
		came := p.now.Add(p.late)
		for i, g := range all {
			if lossy > 0 && int(p.id)%lossy == 0 && i == 1 {
				continue
			}
			if f := p.r.frames.Push(came, ap("127.0.0.1:7000"), append(bytes.Clone(g.Header), g.Payload...)); f != nil {
				p.r.pinger.follow(came, ap("127.0.0.1:7000"), 0)
				p.r.account(f)
				f.Release()
			}
		}
		p.r.frames.Expire(came)
		if p.id%p.each == 0 {
			if b := p.r.report(nil, came); len(b) > 0 {
				var report fragment.Report
				if err := report.Parse(b); err != nil {
					p.t.Fatal(err)
				}
				p.reports, p.at = append(p.reports, report), append(p.at, came)
			}
		}
	}
}

// As long as all is well a viewer reports once a second; when something is missing, or queues have grown, at
// once, and at most ten times a second.
func TestReportsAreSoonerWhenThingsGetWorse(t *testing.T) {
	p := newReporting(t)
	p.play(time.Second, 0)
	if n := len(p.reports); n != firstReports || p.reports[0].Complete == 0 || p.at[firstReports-1].Sub(p.at[0]) > firstReports*reportSoon {
		t.Errorf("in the first second there are reports at %v: %+v", p.at, p.reports)
	}
	p.play(5*time.Second, 0)
	if n := len(p.reports); n < 4 || n > 6 {
		t.Errorf("%d reports in 5 s in which all was well", n)
	}
	p.play(4*time.Second, 3)
	if n := len(p.reports); n < 30 || n > 40 {
		t.Errorf("%d reports in 4 s in which much was lost, want 10 a second", n)
	}
	if last := p.reports[len(p.reports)-1]; last.Missing < 60 {
		t.Errorf("%+v", last)
	}
	p.play(3*time.Second, 0)
	if n := len(p.reports); n < 2 || n > 4 {
		t.Errorf("%d reports in 3 s after it", n)
	}
	p.late = 30 * time.Millisecond
	began := p.now
	p.play(time.Second, 0)
	if n := len(p.reports); n < 1 || n > 3 || p.at[0].Sub(began) > 250*time.Millisecond || p.reports[0].Queueing < 25_000 {
		t.Errorf("a queue of 30 ms is reported after %v: %+v", p.at, p.reports)
	}
	p.late = 0
	p.play(2*time.Second, 0)
	if n := len(p.reports); n < 1 || n > 3 || p.reports[n-1].Queueing > 1000 {
		t.Errorf("a queue that is gone: %+v", p.reports)
	}
}

// A machine that stands still for a moment holds up one frame, and the next one less: nothing that a report
// would call a queue, neither one that comes at once nor the next that is due, also if a datagram is lost then.
func TestAStandstillIsNoQueue(t *testing.T) {
	p := newReporting(t)
	p.each = 2
	p.play(1200*time.Millisecond, 0)
	for round := range 8 {
		var reports []fragment.Report
		for _, late := range []time.Duration{60, 40, 20, 0} {
			p.late = late * time.Millisecond
			p.play(20*time.Millisecond, 0)
			reports = append(reports, p.reports...)
		}
		if round == 7 {
			p.play(20*time.Millisecond, 1)
			reports = append(reports, p.reports...)
		}
		p.play(1100*time.Millisecond, 0)
		reports = append(reports, p.reports...)
		if n := len(reports); n < 1 || n > 3 {
			t.Errorf("round %d: %d reports in 1.2 s", round, n)
		}
		for _, r := range reports {
			if r.Queueing > 1000 {
				t.Errorf("round %d: a queue of %d µs is reported", round, r.Queueing)
			}
		}
		p.play(time.Duration(20*round)*time.Millisecond, 0) // another time before the next report
	}
}
