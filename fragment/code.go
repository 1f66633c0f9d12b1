package fragment

import (
	"fmt"

	"github.com/klauspost/reedsolomon"
)

// maxParity is the most parity fragments of a block: docs/PROTOCOL.md, section 3, rule 5.
const maxParity = 128

// codes are the Leopard codes in use, one for each number of data fragments, with the memory
// that they and rebuilding need. It is made as it is needed and then kept: at most 8 MiB for
// the library, of which it touches a shard in each 32 KiB, 2 MiB for what is rebuilt, and
// some 100 KiB for the codes themselves. What cannot be had from the library without an
// allocation are its lists of a block's fragments, 7 KB at most for each block that gets
// parity or is rebuilt. The zero value is ready. Not for use by several
// goroutines at once.
type codes struct {
	kept    [maxFragments]keptCode // by k
	work    workspace
	shards  [][]byte // a block's
	rebuilt []byte   // what the library writes to
}

type keptCode struct {
	p    int
	code reedsolomon.Encoder
}

// of is the code for blocks of k data and p parity fragments, k + ceilPow2(p) <= maxFragments.
// Other codes make an error, never a panic.
func (c *codes) of(k, p int) (reedsolomon.Encoder, error) {
	kept := &c.kept[k]
	if kept.p == p {
		return kept.code, nil
	}
	// The library would remember every pattern of losses of small blocks, without end.
	code, err := reedsolomon.New(k, p, reedsolomon.WithLeopardGF(true), reedsolomon.WithInversionCache(false), reedsolomon.WithWorkAllocator(&c.work))
	if err != nil {
		return nil, fmt.Errorf("fragment: no code for %d data and %d parity fragments: %w", k, p, err)
	}
	*kept = keptCode{p, code}
	return code, nil
}

// block is room for the n fragments of a block, at most maxFragments, all nil.
func (c *codes) block(n int) [][]byte {
	if c.shards == nil {
		c.shards = make([][]byte, maxFragments)
	}
	clear(c.shards[:n])
	return c.shards[:n]
}

// scratch is n bytes, with anything in them.
func (c *codes) scratch(n int) []byte {
	if len(c.rebuilt) < n {
		c.rebuilt = make([]byte, n)
	}
	return c.rebuilt[:n]
}

// workspace is a reedsolomon.WorkAllocator for one call at a time. The library's own keeps its
// memory in a sync.Pool, which empties.
type workspace struct{ pieces [][]byte }

// Get returns n slices of size bytes.
func (w *workspace) Get(n, size int) [][]byte {
	if len(w.pieces) < n || cap(w.pieces[0]) < size {
		w.pieces = reedsolomon.AllocAligned(n, size)
	}
	for i := range w.pieces[:n] {
		w.pieces[i] = w.pieces[i][:size] // the library has shortened them
	}
	return w.pieces[:n]
}

// Put has nothing to do: the pieces stay.
func (w *workspace) Put([][]byte) {}
