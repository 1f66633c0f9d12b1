package fragment

import "bytes"

// Generation numbers the changes of what stands in a JPEG before its first scan's data:
// 1..15 in turn, and 0 where it is not known. The zero value is ready.
type Generation struct {
	head   []byte // of the last JPEG
	number uint8
}

// Next is the number of a JPEG that begins with head, which is borrowed; none is not known.
func (g *Generation) Next(head []byte) uint8 {
	if len(head) == 0 {
		return 0
	}
	if !bytes.Equal(head, g.head) {
		g.head = append(g.head[:0], head...)
		g.number = g.number%15 + 1
	}
	return g.number
}

// SetGeneration says what Generation.Next has said of the next frame to be cut.
func (s *Splitter) SetGeneration(number uint8) { s.generation = number & 15 }
