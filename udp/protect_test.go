package udp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// teller is a viewer that reports what it likes.
type teller struct {
	*beggar
	said    fragment.Report
	session uint64 // its sender's
	seq     uint64 // the next
}

// tell reports that so many datagrams more have come, and so many not, and waits until that is known.
func (v *teller) tell(s *Sender, received, missing uint64) {
	v.t.Helper()
	before, _ := s.viewers.counts()
	v.said.Session, v.said.Of, v.said.RTT, v.said.Complete = 1, v.session, 10_000, 1
	v.said.Received, v.said.Missing = v.said.Received+received, v.said.Missing+missing
	if _, err := v.c.WriteToUDPAddrPort(bytesOf(v.t, &v.said), v.to); err != nil {
		v.t.Fatal(err)
	}
	v.said.Sequence++
	eventually(v.t, "the report", func() bool { n, _ := s.viewers.counts(); return n > before })
}

// take reads n datagrams of a frame, and tells how many of them are parity. No number of the session's
// is left out, and no datagram of data.
func (v *teller) take(frame uint32, n int) (parity int) {
	v.t.Helper()
	data := map[[2]uint8]bool{}
	want := 0
	for range n {
		h, _ := v.data()
		if v.session == 0 {
			v.session, v.seq = h.Session, h.Sequence
		}
		if h.Session != v.session || h.Sequence != v.seq || h.Frame != frame {
			v.t.Fatalf("frame %d, number %d of session %x, want %d, %d, %x", h.Frame, h.Sequence, h.Session, frame, v.seq, v.session)
		}
		v.seq++
		k := (h.Length + h.Shard - 1) / h.Shard
		if h.Index == 0 {
			want += k
		}
		if int(h.Index) < k {
			data[[2]uint8{h.Block, h.Index}] = true
		} else {
			parity++
		}
	}
	if len(data) != want {
		v.t.Fatalf("%d data fragments of %d have been sent", len(data), want)
	}
	return parity
}

// protected is a sender to two viewers.
type protected struct {
	s    *Sender
	to   [2]*teller
	next uint32
}

func newProtected(t *testing.T, mode Repair, parity float64) *protected {
	p := &protected{to: [2]*teller{{beggar: newBeggar(t)}, {beggar: newBeggar(t)}}}
	p.s = speak(t, SenderConfig{To: []netip.AddrPort{localAddr(p.to[0].c), localAddr(p.to[1].c)}, Repair: mode, Parity: parity})
	return p
}

// frame sends one of so many datagrams, and tells how much parity came to each. The figures agree.
func (p *protected) frame(t *testing.T, datagrams int) (parity [2]int) {
	t.Helper()
	before := p.s.Stats()
	p.s.shield.at = time.Time{} // decide anew now
	write(t, p.s, pictureOf(datagrams))
	after := p.s.Stats()
	for i, v := range p.to {
		a, b := after.To[i], before.To[i]
		n := int(a.Datagrams - b.Datagrams)
		parity[i] = v.take(p.next, n)
		if n != datagrams+parity[i] || a.Bytes-b.Bytes != uint64(n*(fragment.HeaderLen+after.Shard)) {
			t.Errorf("destination %d: %d datagrams and %d bytes for %d of data and %d of parity", i, n, a.Bytes-b.Bytes, datagrams, parity[i])
		}
		if (a.Parity > 0) != (parity[i] > 0) || a.Unsent > 0 {
			t.Errorf("destination %d: %d of parity are sent, and %+v said", i, parity[i], a)
		}
	}
	p.next++
	return parity
}

// Who loses datagrams gets parity, as soon as it says so and as long as it does; who loses none
// gets none, though frames are cut once for both.
func TestParityGoesToWhoLoses(t *testing.T) {
	for _, datagrams := range []int{1, 47, 300} { // 300 are two blocks
		t.Run(fmt.Sprint(datagrams), func(t *testing.T) {
			p := newProtected(t, RepairAuto, 0)
			if got := p.frame(t, datagrams); got != [2]int{} {
				t.Fatalf("parity %v before anybody has reported", got)
			}
			p.to[0].tell(p.s, 2000, 0)
			p.to[1].tell(p.s, 2000, 0)
			if got := p.frame(t, datagrams); got != [2]int{} {
				t.Fatalf("parity %v on a clean link", got)
			}
			p.to[0].tell(p.s, 1900, 100)
			few := p.frame(t, datagrams)
			if few[0] < 2 || few[1] != 0 {
				t.Fatalf("parity %v at a loss of some per cent and of none", few)
			}
			to := p.s.Stats().To
			if to[0].Loss < 0.02 || to[0].Loss > 0.05 || to[1].Loss != 0 {
				t.Errorf("losses of %.2f %% and %.2f %% are told", 100*to[0].Loss, 100*to[1].Loss)
			}
			p.to[0].tell(p.s, 1000, 1000)
			much := p.frame(t, datagrams)
			if datagrams > 1 && much[0] <= few[0] || much[0] > max(datagrams, 2) || much[1] != 0 {
				t.Errorf("parity %v at a loss of a fifth, %v at some per cent", much, few)
			}
			p.s.protect(time.Now().Add(protectEvery)) // viewers are told the frame before's
			for _, v := range p.s.Stats().Viewers {
				if lossy := v.Addr == localAddr(p.to[0].c).String(); (v.Parity > 0) != lossy || (v.Loss > 0) != lossy {
					t.Errorf("%+v", v)
				}
			}
			p.to[0].tell(p.s, 100_000_000, 0)
			if got := p.frame(t, datagrams); got != [2]int{} {
				t.Errorf("parity %v after a long time without loss", got)
			}
		})
	}
}

// However much one says to lose, its frames get as much parity as they have data at the most, and the other's nothing.
func TestALiarGetsNoMoreThanTheMost(t *testing.T) {
	p := newProtected(t, RepairAuto, 0)
	p.frame(t, 47)
	p.to[0].tell(p.s, 1, 1<<60)
	if got := p.frame(t, 47); got != [2]int{47, 0} {
		t.Errorf("parity %v, want 47 and none", got)
	}
	if p.s.protect(time.Now().Add(reportLife + time.Minute)); p.s.dests[0].guard.Loss() != 0 {
		t.Errorf("a loss of %v of who is silent", p.s.dests[0].guard.Loss())
	}
}

// What does not go by reports is the same for all, whatever they report.
func TestFixedParityIsForAll(t *testing.T) {
	for _, c := range []struct {
		mode  Repair
		share float64
		want  [2]int // for 40, as the first says to lose a tenth and the other nothing
	}{
		{RepairNone, 0, [2]int{}},
		{RepairNACK, 0, [2]int{}},
		{RepairFEC, 0, [2]int{4, 4}},
		{RepairFEC, 0.25, [2]int{10, 10}},
		{RepairAuto, 0.5, [2]int{20, 20}}, // the least
	} {
		p := newProtected(t, c.mode, c.share)
		p.frame(t, 40)
		p.to[0].tell(p.s, 900, 100)
		p.to[1].tell(p.s, 1000, 0)
		if got := p.frame(t, 40); got != c.want {
			t.Errorf("%v, %v: parity %v, want %v", c.mode, c.share, got, c.want)
		}
	}
}

// A group is as badly off as its worst member that still reports.
func TestAGroupLosesWhatItsWorstMemberLoses(t *testing.T) {
	now := time.Now()
	var v viewers
	v.expect(1, "group", netip.AddrPort{}, false, now)
	tell := func(from string, missing uint64, rtt uint32, now time.Time) {
		v.report(ap(from), bytesOf(t, &fragment.Report{Of: 1, Received: 1000 - missing, Missing: missing, RTT: rtt}), now)
	}
	tell("10.0.0.1:1", 0, 9000, now.Add(2*time.Second))
	tell("10.0.0.2:2", 100, 2000, now)
	tell("10.0.0.3:3", 50, 1000, now.Add(2*time.Second))
	if loss, rtt := v.loss(1, now.Add(3*time.Second)); loss < 0.099 || loss > 0.101 || rtt != 9*time.Millisecond {
		t.Errorf("%.2f %%, %v, want 10 and 9 ms", 100*loss, rtt)
	}
	if loss, _ := v.loss(1, now.Add(reportLife+time.Second)); loss < 0.049 || loss > 0.051 {
		t.Errorf("%.2f %%, want 5: the worst is silent", 100*loss)
	}
	if loss, rtt := v.loss(2, now); loss != 0 || rtt != 0 {
		t.Errorf("%v, %v of nobody", loss, rtt)
	}
}

// A viewer whose way is too slow for all frames gets one of so many, without a gap in its numbers, and the
// other all of them.
func TestSlowViewersGetFewerFrames(t *testing.T) {
	slow, quick := newBeggar(t), newBeggar(t)
	name := localAddr(slow.c).String()
	s := speak(t, SenderConfig{To: []netip.AddrPort{localAddr(slow.c), localAddr(quick.c)}, Every: func(viewer string) int {
		if viewer == name {
			return 3
		}
		return 1
	}})
	const frames = 12
	for range frames {
		write(t, s, frameOf(2))
	}
	for _, c := range []struct {
		b    *beggar
		want int
	}{{slow, frames / 3}, {quick, frames}} {
		for i := range 2 * c.want {
			if h, _ := c.b.data(); h.Sequence != uint64(i) {
				t.Fatalf("number %d, want %d", h.Sequence, i)
			}
		}
		var h fragment.Header
		var p []byte
		if c.b.next(&h, &p, 50*time.Millisecond) {
			t.Errorf("more than %d frames: %+v", c.want, h)
		}
	}
	if st := s.Stats(); st.LeftOut != frames-frames/3 || st.To[0].Skipped != st.LeftOut || st.To[1].Skipped != 0 {
		t.Errorf("%d left out, %+v", st.LeftOut, st.To)
	}
}
