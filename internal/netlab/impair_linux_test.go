package netlab

import (
	"slices"
	"testing"
)

// lostOf is what the fates take of n numbers.
func lostOf(t *testing.T, link string, n int) (lost []uint32) {
	for i, f := range draw(mustParse(t, link), 0, n) {
		if f.lost {
			lost = append(lost, uint32(i))
		}
	}
	return lost
}

// missing is what is not among the received, which came in order.
func missing(t *testing.T, got []uint32, n int) (lost []uint32) {
	t.Helper()
	for i := range uint32(n) {
		if len(got) > 0 && got[0] == i {
			got = got[1:]
			continue
		}
		lost = append(lost, i)
	}
	if len(got) > 0 {
		t.Fatalf("%d is not in order", got[0])
	}
	return lost
}

// 100,000 real packets: the share and the burst length are within a tenth of what is
// asked, and the packets that are lost are those that the seed says.
func TestLossThroughTheKernel(t *testing.T) {
	const n = 40_000
	for link, want := range map[string]struct{ loss, burst float64 }{
		"loss=1%":         {0.01, 1 / 0.99},
		"loss=5%,burst=3": {0.05, 3},
	} {
		t.Run(link, func(t *testing.T) {
			l := openLink(t, link)
			lost := missing(t, flood(t, l, n, 100), n)
			all := make([]fate, n)
			for _, i := range lost {
				all[i].lost = true
			}
			loss, burst := measure(all)
			t.Logf("lost %.3f %% in bursts of %.2f", 100*loss, burst)
			if loss < 0.9*want.loss || loss > 1.1*want.loss || burst < 0.9*want.burst || burst > 1.1*want.burst {
				t.Errorf("lost %.4f in bursts of %.2f, want %v and %v", loss, burst, want.loss, want.burst)
			}
			if c := l.Stats().AB; c.Lost != uint64(len(lost)) {
				t.Errorf("%d were lost, %+v", len(lost), c)
			}
			if !slices.Equal(lost, lostOf(t, link, n)) {
				t.Error("other packets are lost than the seed says")
			}
		})
	}
}

// One seed is one pattern, whatever the size of the packets, how fast they come and what
// else the link does to them; another seed is another.
func TestOneSeedOnePattern(t *testing.T) {
	const n = 2000
	want := lostOf(t, "loss=5%,burst=2,seed=7", n)
	for _, c := range []struct {
		link string
		size int
		same bool
	}{
		{"loss=5%,burst=2,seed=7", 4, true},
		{"loss=5%,burst=2,seed=7", 1472, true},
		{"rate=400mbit,queue=100MB,delay=2ms,jitter=1ms,loss=5%,burst=2,seed=7", 1200, true},
		{"loss=5%,burst=2,seed=8", 4, false},
	} {
		lost := missing(t, flood(t, openLink(t, c.link), n, c.size), n)
		if slices.Equal(lost, want) != c.same {
			t.Errorf("%s, %d bytes: lost %v..., want the same as %v...: %v", c.link, c.size, lost[:5], want[:5], c.same)
		}
	}
}

// TCP's packets meet the same pattern in both directions, and what it carries is whole.
func TestLossUnderTCP(t *testing.T) {
	const link = "delay=1ms,loss=1%,seed=3"
	l := openLink(t, link)
	copyTCP(t, l, 4<<20)
	var s Stats
	await(t, "the last packets", func() bool {
		s = l.Stats()
		return s.AB.Waiting+s.BA.Waiting == 0
	})
	for direction, c := range []Counts{s.AB, s.BA} {
		var want uint64
		for _, f := range draw(mustParse(t, link), direction, int(c.Packets)) {
			if f.lost {
				want++
			}
		}
		if c.Lost != want || c.Packets < 500 || c.Packets != c.Delivered+c.Lost {
			t.Errorf("direction %d: %+v, want %d lost", direction, c, want)
		}
	}
	if s.AB.Lost == 0 {
		t.Error("nothing was lost")
	}
}

// Held packets are overtaken, and only they are.
func TestReorder(t *testing.T) {
	const n = 20_000
	const link = "delay=1ms,reorder=2%"
	l := openLink(t, link)
	got := flood(t, l, n, 100)
	held := map[uint32]bool{}
	for i, f := range draw(mustParse(t, link), 0, n) {
		if f.held {
			held[uint32(i)] = true
		}
	}
	c := l.Stats().AB
	if c.Reordered != uint64(len(held)) || c.Reordered < n*2/100*9/10 || c.Reordered > n*2/100*11/10 {
		t.Errorf("%d are held back, want %d, about 2 %%", c.Reordered, len(held))
	}
	overtaken, newest := 0, uint32(0)
	for _, i := range got {
		if i < newest {
			overtaken++
			if !held[i] {
				t.Fatalf("%d is overtaken and was not held back", i)
			}
		}
		newest = max(newest, i)
	}
	if overtaken < len(held)*9/10 { // the others were followed by a break of the flood
		t.Errorf("%d of %d that were held back were overtaken", overtaken, len(held))
	}
	slices.Sort(got)
	if lost := missing(t, got, n); len(lost) > 0 {
		t.Errorf("%v were lost", lost)
	}
}

func TestDuplicate(t *testing.T) {
	const n = 20_000
	const link = "duplicate=3%"
	l := openLink(t, link)
	got := flood(t, l, n, 100)
	var want []uint32
	for i, f := range draw(mustParse(t, link), 0, n) {
		want = append(want, uint32(i))
		if f.duplicated {
			want = append(want, uint32(i))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d packets arrived, want %d of them, each copy right behind", len(got), len(want))
	}
	c := l.Stats().AB
	if c.Duplicated != uint64(len(want)-n) || c.Duplicated < n*3/100*9/10 || c.Duplicated > n*3/100*11/10 {
		t.Errorf("%+v, want %d copies", c, len(want)-n)
	}
}

// Jitter of dense traffic does not turn it around.
func TestJitterDoesNotReorder(t *testing.T) {
	const n = 20_000
	l := openLink(t, "delay=5ms,jitter=5ms")
	if lost := missing(t, flood(t, l, n, 100), n); len(lost) > 0 {
		t.Errorf("%d were lost", len(lost))
	}
}

// A burst fills the queue, the rest of it is dropped, and the counts say so.
func TestQueueDropsTheTail(t *testing.T) {
	l := openLink(t, "rate=200kbit,queue=15kB")
	const n, size = 100, 1472
	got := flood(t, l, n, size)
	c := l.Stats().AB
	// Ten packets fit; it takes 60 ms to make room for another.
	if len(got) < 10 || len(got) > 15 || c.TailDropped != uint64(n-len(got)) {
		t.Errorf("%d arrived, %+v, want 10 or a few more", len(got), c)
	}
	for i, k := range got[:10] {
		if k != uint32(i) {
			t.Errorf("packet %d is number %d", i, k)
		}
	}
	if c.QueueMax <= 15_000-1500 || c.QueueMax > 15_000 {
		t.Errorf("%d bytes were queued, want nearly 15000", c.QueueMax)
	}
}
