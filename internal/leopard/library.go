package leopard

import (
	"fmt"

	"github.com/klauspost/reedsolomon"
)

// library does the work where there are no kernels. It keeps a code for each k.
type library struct {
	kept [MaxFragments]struct {
		p    int
		code reedsolomon.Encoder
	}
	work workspace
}

func (l *library) encode(k int, fragments [][]byte) error {
	code, err := l.of(k, len(fragments)-k)
	if err != nil {
		return err
	}
	return code.Encode(fragments)
}

func (l *library) rebuild(k int, fragments [][]byte) error {
	code, err := l.of(k, len(fragments)-k)
	if err != nil {
		return err
	}
	return code.ReconstructData(fragments)
}

func (l *library) of(k, p int) (reedsolomon.Encoder, error) {
	kept := &l.kept[k]
	if kept.p == p {
		return kept.code, nil
	}
	// The library would remember every pattern of losses of small blocks, without end.
	code, err := reedsolomon.New(k, p, reedsolomon.WithLeopardGF(true), reedsolomon.WithInversionCache(false), reedsolomon.WithWorkAllocator(&l.work))
	if err != nil {
		return nil, fmt.Errorf("leopard: no code for %d data and %d parity fragments: %w", k, p, err)
	}
	kept.p, kept.code = p, code
	return code, nil
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
