package leopard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/klauspost/reedsolomon"
)

// bothWays runs f with the kernels, where there are any, and with the library.
func bothWays(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	is := kernels
	defer func() { kernels = is }()
	for _, kernels = range []bool{false, is} {
		t.Run("kernels="+strconv.FormatBool(kernels), f)
		if !is {
			t.Log("this processor has no kernels: the library only")
			return
		}
	}
}

// block is one of k + p fragments in one piece of memory: nobody may touch what lies between them.
type block struct {
	k, p, size int
	shift      int // where they lie
	memory     []byte
}

const margin = 64

// newBlock is full of random bytes, those of its parity, too.
func newBlock(rng *rand.Rand, k, p, size int) *block {
	b := &block{k, p, size, rng.IntN(64), make([]byte, 64+margin+(k+p)*(size+margin))}
	scribble(rng, b.memory)
	return b
}

func scribble(rng *rand.Rand, b []byte) {
	for len(b) >= 8 {
		binary.NativeEndian.PutUint64(b, rng.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
}

// coded has the library make the parity.
func (b *block) coded(t testing.TB) *block {
	t.Helper()
	code, err := reedsolomon.New(b.k, b.p, reedsolomon.WithLeopardGF(true), reedsolomon.WithInversionCache(false))
	if err != nil {
		t.Fatal(err)
	}
	if err := code.Encode(b.fragments()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *block) clone() *block {
	c := *b
	c.memory = bytes.Clone(b.memory)
	return &c
}

func (b *block) fragments() [][]byte {
	all := make([][]byte, b.k+b.p)
	for i := range all {
		from := b.shift + margin + i*(b.size+margin)
		all[i] = b.memory[from : from+b.size : from+b.size]
	}
	return all
}

// codes are many, and all at the edges: k and p around powers of two, and at the limit.
func codes() (all [][2]int) {
	for p := 1; p <= MaxParity; p++ {
		m := ceilPow2(p)
		if p > 20 && p%7 != 0 && p-m/2 > 1 && m-p > 1 {
			continue
		}
		for _, k := range []int{1, 2, 3, m - 1, m, m + 1, 2*m - 1, 2*m + 3, 3*m + 4, 86, 107, 200, MaxFragments - m - 1, MaxFragments - m} {
			if Check(k, p) == nil {
				all = append(all, [2]int{k, p})
			}
		}
	}
	return all
}

var sizes = []int{64, 128, 192, 448, 704, 960, 1408, 1472}

func TestEncodeMakesTheLibrarysParity(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		rng, c := rand.New(rand.NewPCG(1, 1)), new(Codec)
		for i, kp := range codes() {
			b := newBlock(rng, kp[0], kp[1], sizes[i%len(sizes)])
			want := b.clone().coded(t)
			if err := c.Encode(b.k, b.fragments()); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.memory, want.memory) {
				t.Fatalf("%d + %d fragments of %d bytes: not what the library makes of them", b.k, b.p, b.size)
			}
		}
	})
}

// Whatever is lost comes back where it was, and nothing else is written but, of lost data, its place.
func TestRebuildGivesBackWhatWasLost(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		rng, c := rand.New(rand.NewPCG(2, 2)), new(Codec)
		for i, kp := range codes() {
			b := newBlock(rng, kp[0], kp[1], sizes[i%len(sizes)]).coded(t)
			for _, n := range []int{0, 1, (b.p + 1) / 2, b.p} {
				lose(t, c, rng, b, rng.Perm(b.k + b.p)[:n])
			}
			lose(t, c, rng, b, rng.Perm(b.k)[:min(b.k, b.p)]) // data only
		}
	})
}

func lose(t *testing.T, c *Codec, rng *rand.Rand, want *block, lost []int) {
	t.Helper()
	got := want.clone()
	fragments := got.fragments()
	for _, i := range lost {
		if i < got.k { // parity is not rebuilt: it may stay as it is
			scribble(rng, fragments[i])
		}
		fragments[i] = fragments[i][:0]
	}
	if err := c.Rebuild(got.k, fragments); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.memory, want.memory) {
		t.Fatalf("%d + %d fragments of %d bytes without %v: not what was there", got.k, got.p, got.size, lost)
	}
	for i, f := range want.fragments()[:want.k] {
		if !bytes.Equal(fragments[i], f) {
			t.Fatalf("%d + %d fragments of %d bytes without %v: fragment %d is %d bytes, and not what was there", got.k, got.p, got.size, lost, i, len(fragments[i]))
		}
	}
}

// A fragment may be as large as the wire has them, and its place need not be there.
func TestRebuildMakesRoom(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		b := newBlock(rand.New(rand.NewPCG(3, 3)), 5, 3, 16320).coded(t)
		fragments := b.fragments()
		fragments[0], fragments[2], fragments[4] = nil, nil, make([]byte, 0, 16319)
		if err := new(Codec).Rebuild(5, fragments); err != nil {
			t.Fatal(err)
		}
		for i, want := range b.fragments() {
			if !bytes.Equal(fragments[i], want) {
				t.Errorf("fragment %d is not what was there", i)
			}
		}
	})
}

func TestTooFewFragments(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		b := newBlock(rand.New(rand.NewPCG(4, 4)), 20, 4, 64).coded(t)
		want, fragments := b.clone(), b.fragments()
		for _, i := range []int{3, 7, 11, 19, 22} {
			fragments[i] = fragments[i][:0]
		}
		if err := new(Codec).Rebuild(20, fragments); !errors.Is(err, ErrTooFew) || len(fragments[3]) != 0 || !bytes.Equal(b.memory, want.memory) {
			t.Errorf("got %v, want %v and nothing written", err, ErrTooFew)
		}
	})
}

// What cannot be done is an error, whichever fragment it is that does not fit.
func TestRefusesWhatDoesNotFit(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		c, rng := new(Codec), rand.New(rand.NewPCG(5, 5))
		for _, kp := range [][2]int{{0, 1}, {1, 0}, {-1, 3}, {127, 129}, {200, 33}, {129, 65}, {255, 2}, {256, 1}} {
			all := make([][]byte, kp[0]+kp[1])
			if err, also := c.Encode(kp[0], all), c.Rebuild(kp[0], all); err == nil || also == nil {
				t.Errorf("%d + %d fragments: got %v and %v, want errors", kp[0], kp[1], err, also)
			}
		}
		if err := c.Encode(3, nil); err == nil {
			t.Error("no fragments, no error")
		}
		for i := range 5 {
			for _, size := range []int{0, 1, 63, 65, 127, 192} {
				b := newBlock(rng, 3, 2, 128).coded(t)
				wrong := b.fragments()
				wrong[i] = make([]byte, size)
				if err := c.Encode(3, wrong); err == nil {
					t.Errorf("fragment %d is of %d bytes, the others of 128: parity was made", i, size)
				}
				if size == 0 { // lost
					continue
				}
				wrong[(i+1)%5] = nil
				if err := c.Rebuild(3, wrong); err == nil {
					t.Errorf("fragment %d is of %d bytes, the others of 128: data was rebuilt", i, size)
				}
			}
		}
		for _, size := range []int{0, 63, 100} {
			all := [][]byte{make([]byte, size), make([]byte, size), make([]byte, size)}
			if err := c.Encode(2, all); err == nil {
				t.Errorf("fragments of %d bytes: parity was made", size)
			}
			if err := c.Rebuild(2, [][]byte{nil, all[1], all[2]}); err == nil {
				t.Errorf("fragments of %d bytes: data was rebuilt", size)
			}
		}
	})
}

// Nothing with the kernels, and with the library the lists that the Codec tells of: two for parity,
// one for what is rebuilt.
func TestAllocations(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		most := 0.0
		if !kernels {
			most = 3
		}
		rng, c := rand.New(rand.NewPCG(6, 6)), new(Codec)
		for _, kp := range [][2]int{{1, 1}, {86, 9}, {107, 11}, {200, 20}, {128, 128}} {
			b := newBlock(rng, kp[0], kp[1], 1408).coded(t)
			all := b.fragments()
			step := func() {
				if err := c.Encode(b.k, all); err != nil {
					t.Fatal(err)
				}
				for i := range min(b.k, b.p) {
					all[i] = all[i][:0]
				}
				if err := c.Rebuild(b.k, all); err != nil {
					t.Fatal(err)
				}
			}
			step()
			if n := testing.AllocsPerRun(100, step); n > most {
				t.Errorf("%d + %d fragments: %v allocations, want %v at most", b.k, b.p, n, most)
			}
		}
	})
}

func FuzzCode(f *testing.F) {
	f.Add(byte(85), byte(8), byte(21), []byte{3, 77, 90}, []byte("data"))
	f.Add(byte(199), byte(31), byte(0), []byte{0, 1, 2, 3, 4, 5, 220}, []byte{1})
	f.Add(byte(127), byte(127), byte(2), bytes.Repeat([]byte{9, 200, 5}, 50), []byte{0, 255})
	f.Add(byte(0), byte(0), byte(1), []byte{0}, []byte{})
	f.Fuzz(func(t *testing.T, k, p, units byte, lost, content []byte) {
		b := newBlock(rand.New(rand.NewPCG(uint64(len(content)), 7)), int(k)+1, int(p)+1, Unit*(1+int(units)%30))
		if Check(b.k, b.p) != nil {
			return
		}
		for i := range b.fragments()[:b.k] {
			copy(b.fragments()[i], content[min(len(content), i*b.size):])
		}
		want := b.clone().coded(t)
		var c Codec
		if err := c.Encode(b.k, b.fragments()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.memory, want.memory) {
			t.Fatal("the parity is not the library's")
		}
		fragments, n := b.fragments(), 0
		for _, i := range lost {
			if i := int(i) % len(fragments); n < b.p && len(fragments[i]) > 0 {
				if i < b.k {
					clear(fragments[i])
				}
				fragments[i] = fragments[i][:0]
				n++
			}
		}
		if err := c.Rebuild(b.k, fragments); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.memory, want.memory) {
			t.Fatalf("%d lost: not what was there", n)
		}
	})
}
