//go:build !unix

package udp

import "net"

// newBatchConn stands in where x/net has no batches at all (Windows).
func newBatchConn(c *net.UDPConn) batchConn { return &singleConn{UDPConn: c} }

type singleConn struct {
	*net.UDPConn
	out []byte // a datagram's pieces, put together
}

func (c *singleConn) ReadBatch(ms []message, _ int) (int, error) {
	m := &ms[0]
	n, addr, err := c.ReadFromUDP(m.Buffers[0])
	if err != nil {
		return 0, err
	}
	m.N, m.NN, m.Addr = n, 0, addr
	return 1, nil
}

func (c *singleConn) WriteBatch(ms []message, _ int) (int, error) {
	for i := range ms {
		c.out = c.out[:0]
		for _, b := range ms[i].Buffers {
			c.out = append(c.out, b...)
		}
		var err error
		if to := ms[i].Addr; to != nil {
			_, err = c.WriteTo(c.out, to)
		} else {
			_, err = c.Write(c.out)
		}
		if err != nil {
			return i, err
		}
	}
	return len(ms), nil
}
