package netlab

import "time"

// packet waits for its release.
type packet struct {
	data  []byte // its own
	due   time.Duration
	twice bool
}

// fifo is a queue of packets in a ring that grows when it is full, by doubling.
type fifo struct {
	ring  []packet // its length is 0 or a power of two
	first uint     // index modulo the length
	n     int
}

func (q *fifo) push(p packet) {
	if q.n == len(q.ring) {
		larger := make([]packet, max(64, 2*len(q.ring)))
		for i := range q.n {
			larger[i] = *q.at(i)
		}
		q.ring, q.first = larger, 0
	}
	q.n++
	*q.at(q.n - 1) = p
}

// pop takes out the first of at least one.
func (q *fifo) pop() packet {
	p := q.at(0)
	out := *p
	*p = packet{}
	q.first++
	q.n--
	return out
}

// at is the i-th of those waiting.
func (q *fifo) at(i int) *packet { return &q.ring[(q.first+uint(i))&uint(len(q.ring)-1)] }
