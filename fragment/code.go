package fragment

import "github.com/framegram/framegram/internal/leopard"

// maxParity is the most parity fragments of a block: docs/PROTOCOL.md, section 3, rule 5.
const maxParity = leopard.MaxParity

// codes make parity, and data from it, with the memory that this needs. That is made as it is needed and
// then kept: at most 2 MiB for what is rebuilt, and what a leopard.Codec says. The zero value is ready.
// Not for use by several goroutines at once.
type codes struct {
	leopard leopard.Codec
	shards  [][]byte // a block's
	rebuilt []byte   // what is written to
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
