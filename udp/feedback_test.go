package udp

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// incomplete is a receiver without a socket, to which a sender's frames come of which some datagrams are missing.
type incomplete struct {
	t   *testing.T
	r   *Receiver
	cut *fragment.Splitter
	now time.Time
	id  uint32
	seq map[uint64]uint64 // by session

	came, sent map[netip.AddrPort]int // bytes
	reports    []fragment.Report
	at         []time.Time
	repairs    int
}

func newIncomplete(t *testing.T) *incomplete {
	t.Helper()
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	return &incomplete{
		t: t, r: &Receiver{frames: reassembler(t), wants: newWants(true, 0)}, cut: cut, now: time.Unix(1000, 0),
		seq: map[uint64]uint64{}, came: map[netip.AddrPort]int{}, sent: map[netip.AddrPort]int{},
	}
}

// frame is one of so many bytes from an address in a session, of which the datagrams that lose names do not come,
// and the others gap apart.
func (p *incomplete) frame(from netip.AddrPort, session uint64, size int, gap time.Duration, lose func(i int) bool) {
	p.t.Helper()
	p.id++
	all, err := p.cut.Split(p.id, p.now.UnixMicro(), make([]byte, size))
	if err != nil {
		p.t.Fatal(err)
	}
	p.cut.Stamp(0, len(all), session, p.seq[session])
	p.seq[session] += uint64(len(all))
	for i, g := range all {
		p.now = p.now.Add(gap)
		if !lose(i) {
			p.push(from, append(bytes.Clone(g.Header), g.Payload...))
		}
	}
}

func (p *incomplete) push(from netip.AddrPort, b []byte) {
	p.t.Helper()
	p.came[from] += len(b)
	if f := p.r.frames.Push(p.now, from, b); f != nil {
		p.r.pinger.follow(p.now, from, 0)
		p.r.account(f)
		f.Release()
	}
	p.r.frames.Expire(p.now)
	p.r.watch()
	p.r.reportCandidates(p.now)
	p.r.wanted(p.now)
	for _, q := range p.r.candidates.out[:p.r.candidates.ready] {
		var report fragment.Report
		if err := report.Parse(q.b); err != nil {
			p.t.Fatal(err)
		}
		p.sent[q.to] += len(q.b)
		p.reports, p.at = append(p.reports, report), append(p.at, p.now)
	}
	for _, q := range p.r.wants.out[:p.r.wants.waiting] {
		p.sent[q.to] += len(q.b)
		p.repairs++
	}
	for to, n := range p.sent {
		if n > p.came[to] {
			p.t.Fatalf("%d bytes went to %v, of which %d have come", n, to, p.came[to])
		}
	}
}

var strangerAt = ap("10.0.0.1:7000")

// Where no frame comes whole the sender hears of it all the same, soon, and of how fast its datagrams come.
func TestCandidateIsReportedOn(t *testing.T) {
	p := newIncomplete(t)
	began := p.now
	// A second at 30 frames a second, of which the tail is lost; packets of 1484 bytes each 1.2 ms are 9.89 Mbit/s.
	for range 30 {
		next := p.now.Add(time.Second / 30)
		p.frame(strangerAt, 5, 40_000, 1200*time.Microsecond, func(i int) bool { return i == 5 || i >= 20 })
		p.now = next
	}
	if len(p.reports) < 6 || len(p.reports) > 10 {
		t.Fatalf("%d reports in a second, want about %d and %d a second", len(p.reports), feedbackRate, feedbackRate)
	}
	if first := p.at[0].Sub(began); first > 10*time.Millisecond {
		t.Errorf("the first report comes after %v", first)
	}
	for i, r := range p.reports {
		ours := r.Session != 0 && r.Session == p.reports[0].Session && r.Sequence == uint64(i)
		if !ours || r.Of != 5 || r.Complete != 0 || r.Shown != 0 {
			t.Errorf("report %d is %+v", i, r)
		}
		if i > 0 && p.at[i].Sub(p.at[i-1]) < reportSoon {
			t.Errorf("report %d comes %v after the one before", i, p.at[i].Sub(p.at[i-1]))
		}
		if rate := int(r.Arrival); rate < 9_200 || rate > 9_900 {
			t.Errorf("report %d tells of %d kbit/s, want 9893, or a little less for the datagram that is lost", i, rate)
		}
	}
	last := p.reports[len(p.reports)-1]
	if last.Missing == 0 || last.Received == 0 || last.Frame == 0 || last.Highest+1 != last.Received+last.Missing {
		t.Errorf("the last report is %+v", last)
	}
	if p.repairs == 0 {
		t.Error("nothing is asked for")
	}
	if p.repairs+len(p.reports) > 2*feedbackRate {
		t.Errorf("%d repairs and %d reports in a second", p.repairs, len(p.reports))
	}
}

// What was reported of a candidate goes on when it is followed: queues are known, and its counts do not begin anew.
func TestFollowedCandidateKeepsWhatIsKnownOfIt(t *testing.T) {
	p := newIncomplete(t)
	for range 10 {
		p.frame(strangerAt, 5, 40_000, time.Millisecond, func(i int) bool { return i == 3 })
	}
	told := p.reports[len(p.reports)-1]
	p.frame(strangerAt, 5, 40_000, time.Millisecond, func(int) bool { return false })
	b := p.r.report(nil, p.now)
	var first fragment.Report
	if err := first.Parse(b); err != nil {
		t.Fatalf("no report follows the first frame at once: %v", err)
	}
	goesOn := first.Lost >= told.Lost && first.Received > told.Received && first.Missing >= told.Missing
	if first.Complete != 1 || !goesOn || first.Missing > 11 {
		t.Errorf("after %+v comes %+v", told, first)
	}
}

// Made-up candidates draw no more bytes than they cost, however many there are, and nothing at all while a sender
// is followed.
func TestForgedCandidates(t *testing.T) {
	p := newIncomplete(t)
	noise := func(n int) {
		for i := range n {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(1+i%7))
			p.frame(from, uint64(100+i/3), 4000, time.Microsecond, func(k int) bool { return k == 1 })
		}
	}
	noise(1000)
	if len(p.reports) == 0 {
		t.Fatal("no candidate was reported on: nothing is tested")
	}
	ours := ap("10.0.0.9:9")
	for p.r.frames.Followed() != ours {
		p.now = p.now.Add(300 * time.Millisecond)
		p.frame(ours, 7, 4000, time.Microsecond, func(int) bool { return false })
	}
	reports, repairs, stats := len(p.reports), p.repairs, p.r.frames.Counters()
	for range 100 {
		noise(1000)
		p.frame(ours, 7, 4000, time.Microsecond, func(int) bool { return false })
	}
	if len(p.reports) != reports || p.repairs != repairs {
		t.Errorf("%d reports and %d repairs went to 100 000 made-up candidates", len(p.reports)-reports, p.repairs-repairs)
	}
	if c := p.r.frames.Counters(); c.Complete != stats.Complete+100 || c.Lost != stats.Lost {
		t.Errorf("of 100 frames of the followed sender %d came: %+v", c.Complete-stats.Complete, c)
	}
}

// The first report leaves by a real socket while no frame is complete, and a viewer that asked to be served sends
// it in the session by which the sender knows it.
func TestReceiverReportsOnACandidate(t *testing.T) {
	r := hearing(t, ReceiverConfig{})
	g := newGiver(t, r.LocalAddr())
	g.send(pictureOf(20), 3, 4, 5)
	var report fragment.Report
	readMessage(t, g.c, &report)
	if report.Of != g.session || report.Complete != 0 || report.Received == 0 {
		t.Errorf("got %+v", report)
	}
	if s := r.Stats(); s.Candidate == 0 || s.Reports < s.Candidate {
		t.Errorf("got %+v", s)
	}
}

// readMessage reads what comes to c until it parses.
func readMessage(t *testing.T, c *net.UDPConn, m interface{ Parse([]byte) error }) {
	t.Helper()
	buf := make([]byte, 2000)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, _, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		if m.Parse(buf[:n]) == nil {
			return
		}
	}
}

// Of a stream of which no frame becomes complete a person is told after 2 s, once, with the rates; not of one that
// pauses.
func TestStallIsSaidOnce(t *testing.T) {
	now, p := time.Unix(1000, 0), fragment.Progress{Session: 5}
	var s stall
	said, bytesCame := 0, uint64(0)
	play := func(d time.Duration, received, missing uint64) {
		for end := now.Add(d); now.Before(end); now = now.Add(100 * time.Millisecond) {
			p.Received, p.Missing = p.Received+received, p.Missing+missing
			bytesCame += 1250 * received
			if s.look(now, &p, bytesCame, 0) {
				said++
			}
		}
	}
	play(1900*time.Millisecond, 100, 100)
	if said != 0 || s.text != "" {
		t.Fatalf("said after 1.9 s: %q", s.text)
	}
	play(5*time.Second, 100, 100) // 100 datagrams of 1250 bytes each 0.1 s are 10 Mbit/s
	want := "datagrams arrive at 10 of 20 Mbit/s, no frame complete: the network carries less"
	if said != 1 || !strings.HasPrefix(s.text, want) {
		t.Errorf("said %d times: %q, want %q", said, s.text, want)
	}
	p.Complete++
	play(100*time.Millisecond, 100, 0)
	if s.text != "" {
		t.Errorf("a frame is complete, and it says %q", s.text)
	}
	play(3*time.Second, 100, 0)
	if said != 2 {
		t.Errorf("said %d times, want twice: it stalled again", said)
	}
	play(5*time.Second, 0, 0)
	if s.text != "" || said != 2 {
		t.Errorf("nothing comes any more, and it says %q (%d)", s.text, said)
	}
}
