package fragment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// protected is a sender whose blocks have that much parity, in shards of 64 bytes.
func protected(t testing.TB, session uint64, of func(int) int) *sender {
	s := newSender(t, session)
	s.cut.SetParity(of)
	return s
}

// lose takes n random fragments from every block.
func lose(t testing.TB, rng *rand.Rand, datagrams [][]byte, n func(h Header) int) (left [][]byte) {
	t.Helper()
	lost := map[uint8]map[int]bool{}
	for _, d := range datagrams {
		h, _ := header(t, d)
		if lost[h.Block] == nil {
			lost[h.Block] = map[int]bool{}
			for _, i := range rng.Perm(h.DataFragments() + int(h.Parity))[:n(h)] {
				lost[h.Block][i] = true
			}
		}
		if !lost[h.Block][int(h.Index)] {
			left = append(left, d)
		}
	}
	return left
}

// Of every block as many fragments may be lost as it has parity, any of them, and what is left may come in
// any order and twice: the frame comes out.
func TestAnyFragmentsGiveTheFrame(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 20))
	g := newRig(t, Config{})
	s := protected(t, 1, nil)
	lossy, rounds := 0, 400
	if testutil.Long() {
		rounds = 4000
	}
	for i := range rounds {
		s.cut.SetShard(64 * (1 + rng.IntN(4)))
		s.cut.SetParity(ParityShare([]float64{0.01, 0.1, 0.3, 1}[rng.IntN(4)]))
		size := 1 + rng.IntN(1000)
		if rng.IntN(3) == 0 {
			size = 1 + rng.IntN(100_000)
		}
		f := s.frame(size)
		left := lose(t, rng, f.datagrams, func(h Header) int { return rng.IntN(int(h.Parity) + 1) })
		if len(left) < len(f.datagrams) {
			lossy++
		}
		switch i % 4 {
		case 1:
			left = shuffled(rng, left)
		case 2:
			left = reversed(left)
		case 3:
			left = shuffled(rng, append(left, left...))
		}
		g.wants(g.push(addrA, left...), f)
		g.out[0].Release()
		g.out = g.out[:0]
	}
	c := g.r.Counters()
	if c.Complete != uint64(rounds) || c.Incomplete.Sum() != 0 || c.Rebuilt < uint64(rounds)/2 || lossy < rounds/2 || c.Recovered <= c.Rebuilt {
		t.Errorf("got %+v after %d frames with losses", c, lossy)
	}
}

// One more lost than there is parity and the frame does not come, nor anything else;
// a repair of any fragment that is lacking, parity or data, brings it.
func TestOneTooManyLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 21))
	g, s := newRig(t, Config{}), protected(t, 1, ParityShare(0.1))
	g.push(addrA, s.frame(10).datagrams...)
	for i := range 200 {
		f := s.frame(1 + rng.IntN(30_000))
		left := shuffled(rng, lose(t, rng, f.datagrams, func(h Header) int {
			if h.Block == 0 {
				return min(int(h.Parity)+1, h.DataFragments()+int(h.Parity))
			}
			return rng.IntN(int(h.Parity) + 1)
		}))
		g.nothing(g.push(addrA, left...))
		if i%2 == 0 {
			g.wait(150 * time.Millisecond)
			continue
		}
		kept := map[string]bool{}
		for _, d := range left {
			kept[string(d)] = true
		}
		for _, d := range f.datagrams {
			if h, _ := header(t, d); h.Block == 0 && !kept[string(d)] {
				repair := s.edited(d, func(h *Header) { h.Flags |= FlagRepair })
				g.wants(g.push(addrA, repair), f)
				break
			}
		}
	}
	if c := g.r.Counters(); c.Incomplete != (Incomplete{Expired: 100}) || c.Complete != 101 {
		t.Errorf("got %+v, want 100 expired and 101 complete", c)
	}
}

// When all data comes in order the parity behind it is surplus, and no work is done.
func TestParityIsSurplus(t *testing.T) {
	g, s := newRig(t, Config{}), protected(t, 1, fixed(3))
	for _, size := range []int{1, 640, 64 * 500} {
		before := g.r.Counters()
		f := s.frame(size)
		g.wants(g.push(addrA, f.datagrams...), f)
		blocks := uint64((size + 64*maxData - 1) / (64 * maxData))
		g.dropped(before.Dropped, Dropped{Surplus: 3 * blocks})
		if c := g.r.Counters(); c.Used-before.Used != uint64(len(f.datagrams))-3*blocks || c.Rebuilt != 0 || c.Recovered != 0 {
			t.Errorf("%d bytes: got %+v", size, c)
		}
	}
	if !idle(&g.r.codes) {
		t.Error("memory to rebuild was made though nothing was lost")
	}
}

// Data that comes when parity has stood in for it, and parity that was not needed any more, is
// surplus; what comes again is a duplicate.
func TestSurplusAndDuplicates(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	s.parity = 3
	f := s.whole(1000)
	all := s.chunks(f, chunk{0, 2, 0, 500}, chunk{1, 2, 500, 500}) // 8 + 3 datagrams each
	again := func(d []byte) []byte { return s.edited(d, func(h *Header) { h.Flags |= FlagRepair }) }
	g.nothing(g.push(addrA, all[8])) // parity first
	g.nothing(g.push(addrA, all[:6]...))
	before := g.r.Counters()
	g.nothing(g.push(addrA, again(all[8]), again(all[0])))
	g.dropped(before.Dropped, Dropped{Duplicate: 2})
	g.nothing(g.push(addrA, all[9]))                // with 6 and 7 lost it is enough
	g.nothing(g.push(addrA, all[6], all[10]))       // came late, and was not needed
	g.nothing(g.push(addrA, again(all[6]), all[6])) // again
	g.dropped(before.Dropped, Dropped{Duplicate: 4, Surplus: 2})
	g.wants(g.push(addrA, all[11:19]...), f)
	g.nothing(g.push(addrA, all[19:]...)) // of the frame just shown
	g.dropped(before.Dropped, Dropped{Duplicate: 4, Surplus: 5})
	if c := g.r.Counters(); c.Recovered != 2 || c.Rebuilt != 1 || c.Used != 8+8 {
		t.Errorf("got %+v, want 2 fragments and 1 frame rebuilt", c)
	}
}

// A burst takes from every block at most its share, so that as many datagrams in a row may be lost as
// the frame has parity.
func TestBurstsAreShared(t *testing.T) {
	g, s := newRig(t, Config{}), protected(t, 1, fixed(8))
	const size = 64 * 1111 // 6 blocks
	g.push(addrA, s.frame(10).datagrams...)
	for from := 0; from < 1111+6*8; from += 17 {
		f := s.frame(size)
		g.wants(g.push(addrA, slices.Delete(slices.Clone(f.datagrams), from, min(from+48, len(f.datagrams)))...), f)
	}
}

// A destination may be sent less parity than was made: the last datagrams are left off.
func TestLessParityIsAPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 22))
	g, s := newRig(t, Config{}), protected(t, 1, fixed(8))
	for less := range 9 {
		f := s.frame(64 * 500) // 3 blocks
		left := lose(t, rng, f.datagrams, func(Header) int { return 0 })
		left = left[:len(left)-3*less]
		some := 0
		left = slices.DeleteFunc(left, func(d []byte) bool { // data of block 1
			h, _ := header(t, d)
			drop := h.Block == 1 && some < 8-less
			if drop {
				some++
			}
			return drop
		})
		g.wants(g.push(addrA, left...), f)
	}
}

// Parity that came before the data waits in its place, and makes room for it.
func TestParityMakesRoom(t *testing.T) {
	for _, size := range []int{64 * 40, 64*39 + 1} { // the last place is too short for parity
		g, s := newRig(t, Config{}), protected(t, 1, fixed(16))
		for lost := range 17 {
			f := s.frame(size)
			parity, data := f.datagrams[40:], f.datagrams[:40]
			g.nothing(g.push(addrA, parity[:lost]...))
			g.wants(g.push(addrA, data[:40-lost]...), f) // takes the lowest places, where the parity waits
		}
		if c := g.r.Counters(); c.Recovered != 16*17/2 || c.Rebuilt != 16 || c.Dropped.Sum() != 0 {
			t.Errorf("got %+v, want %d fragments rebuilt", c, 16*17/2)
		}
	}
}

// Every code that the wire allows can be decoded, whatever is lost.
func TestEveryCode(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 23))
	g, s := newRig(t, Config{}), newSender(t, 1)
	step := 11
	if testutil.Long() {
		step = 1
	}
	for k := 1; k <= 255; k++ {
		for p := 1 + rng.IntN(step); p <= maxParity && k+ceilPow2(p) <= maxFragments; p += step {
			s.parity = p
			f := s.whole(64*k - rng.IntN(64))
			all := s.chunks(f, chunk{0, 1, 0, len(f.jpeg)})
			left := lose(t, rng, all, func(Header) int { return p })
			g.wants(g.push(addrA, shuffled(rng, left)...), f)
			g.out[0].Release()
			g.out = g.out[:0]
		}
	}
}

// A wrong byte in a fragment that is used to rebuild never makes a picture.
func TestDamagedFragmentIsNotRebuiltInto(t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 24))
	g, s := newRig(t, Config{}), protected(t, 1, fixed(4))
	g.push(addrA, s.frame(10).datagrams...)
	for n := range 100 {
		f := s.frame(64 * 30)
		left := f.datagrams[4:] // all parity is needed
		d := left[rng.IntN(len(left))]
		d[HeaderLen+rng.IntN(64)] ^= 1 << rng.IntN(8)
		g.nothing(g.push(addrA, left...))
		if c := g.r.Counters(); c.Incomplete != (Incomplete{Broken: uint64(n + 1)}) {
			t.Fatalf("got %+v, want it broken", c)
		}
	}
	f := s.frame(64 * 30)
	g.wants(g.push(addrA, f.datagrams[4:]...), f)
}

// A sender that lies about a block, the same in every datagram, shows nothing: what it says decides
// only where bytes go, and the CRC whether they are shown.
func TestLiesAreNotShown(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 25))
	lies := map[string]func(h *Header){
		"parity":        func(h *Header) { h.Parity = uint8(2 + rng.IntN(20)) },
		"length":        func(h *Header) { h.Length += 64 * (1 - 2*rng.IntN(2)) },
		"odd length":    func(h *Header) { h.Length -= rng.IntN(64) },
		"shard":         func(h *Header) { h.Shard = 128 },
		"offset":        func(h *Header) { h.Offset += 1 + rng.IntN(1000) },
		"index":         func(h *Header) { h.Index = uint8(rng.IntN(34)) },
		"index is less": func(h *Header) { h.Index = max(h.Index, 1) - 1 },
		"CRC":           func(h *Header) { h.CRC++ },
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			g, s := newRig(t, Config{}), protected(t, 1, fixed(4))
			g.push(addrA, s.frame(10).datagrams...)
			for range 50 {
				f := s.frame(64*30 - rng.IntN(64))
				h, _ := header(t, f.datagrams[0])
				once := h // what is said of the block is said by all
				lie(&once)
				for _, d := range f.datagrams[2:] {
					to, payload := header(t, d)
					if strings.HasPrefix(name, "index") {
						lie(&to)
					} else {
						to.Parity, to.Length, to.Shard, to.Offset, to.CRC = once.Parity, once.Length, once.Shard, once.Offset, once.CRC
					}
					if len(payload) < to.Shard {
						payload = append(payload[:len(payload):len(payload)], make([]byte, to.Shard-len(payload))...)
					}
					out := g.push(addrA, append(to.append(nil), payload...))
					switch {
					case name == "parity" && len(out) > 0: // 3 are the first 3 of 4
						g.wants(out, f)
					case once != h || name[0] == 'i':
						g.nothing(out)
					}
				}
				g.wait(150 * time.Millisecond)
			}
			f := s.frame(64 * 30)
			g.wants(g.push(addrA, f.datagrams[4:]...), f) // and does no lasting harm
		})
	}
}

// Blocks of one frame may differ in parity, and one may have none.
func TestParityDiffersByBlock(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	f := s.whole(64 * 90)
	var left [][]byte
	for b := range 3 {
		s.parity = 3 * b
		all := s.chunks(f, chunk{uint8(b), 3, b * 64 * 30, 64 * 30})
		left = append(left, all[3*b:]...)
	}
	g.wants(g.push(addrA, reversed(left)...), f)
	if c := g.r.Counters(); c.Recovered != 9 || c.Rebuilt != 1 {
		t.Errorf("got %+v, want 9 fragments of one frame rebuilt", c)
	}
}

// A block's parity may change from frame to frame at the same size.
func TestParityMayChange(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for i := range 100 {
		s.parity = 1 + i%50
		f := s.whole(64 * 20)
		g.wants(g.push(addrA, s.chunks(f, chunk{0, 1, 0, 64 * 20})[1:]...), f)
	}
}

func TestRebuildInShardsOfAnySize(t *testing.T) {
	for _, shard := range []int{64, 448, 1408, 8896, MaxShard} {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			g, s := newRig(t, Config{}), protected(t, 1, ParityShare(0.2))
			s.cut.SetShard(shard)
			for _, size := range []int{1, shard, 20*shard - 1, 230*shard + 5} {
				f := s.frame(size)
				g.wants(g.push(addrA, f.datagrams[2:]...), f)
			}
		})
	}
}
