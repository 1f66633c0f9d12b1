//go:build !amd64

package leopard

// kernels is false: no other processor has them.
var kernels = false

type space struct{}

// Neither is ever called.
func (c *Codec) encode([][]byte, [][]byte, int) { panic("leopard: no kernels on this processor") }
func (c *Codec) rebuild(int, [][]byte, int)     { panic("leopard: no kernels on this processor") }
