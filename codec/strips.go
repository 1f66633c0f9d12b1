package codec

import "fmt"

// Strips are the parts of a JPEG that can be decoded, sent and replaced one by one:
// whole rows of MCUs between restart markers. A JPEG of one strip cannot be divided.
//
// It is a view of the JPEG it was found in, which must stay as it is while it is
// used. The zero value has no strips; Find may be called any number of times, and
// allocates nothing once it has seen a JPEG of as many strips.
type Strips struct {
	jpeg []byte
	head headerParser
	rows int    // MCU rows of a strip; the last may have fewer
	each int    // restart intervals of a strip; the last may have fewer
	span []span // of each strip, without the marker behind it; empty for one that is lost
	lost int
}

type span struct{ from, to int } // bytes, to is excluded

// Hole is a range of bytes of a JPEG that are not there.
type Hole struct {
	From, To int
	// Strip says that the byte at To, behind the hole, is known to be the first of a
	// strip, as a Piece starts with.
	Strip bool
}

// Find looks for the strips of jpeg, which is borrowed. It follows markers and
// decodes nothing (9 µs for 118 kB).
//
// A JPEG without restart markers, a progressive one and one of several scans are one
// strip. Restart intervals that are no whole rows are grouped until they are. A JPEG
// whose restart markers are not those that its header announces, or that does not end
// with EOI, is an ErrFormat; for the rest the errors are those of ParseHeader.
func (s *Strips) Find(jpeg []byte) error { return s.FindAround(jpeg, nil) }

// FindAround is Find in a JPEG with holes, which are in order, do not overlap and lie
// within jpeg; what the bytes in them are does not matter. Strips that a hole
// touches are lost. The header must be whole (a caller who knows that it is another
// JPEG's can put it there), and so must the number of every strip be certain: it is
// told by the numbers of restart markers, which repeat after 8, so a hole must not be so
// long that it may hide 8 of them (they are far apart: an MCU is a byte at least).
func (s *Strips) FindAround(jpeg []byte, holes []Hole) error {
	*s = Strips{span: s.span[:0]}
	err := s.find(jpeg, holes)
	if err != nil {
		*s = Strips{span: s.span[:0]}
	}
	return err
}

func (s *Strips) find(jpeg []byte, holes []Hole) error {
	at := 0
	for _, h := range holes {
		if h.From < at || h.To <= h.From || h.To > len(jpeg) {
			return fmt.Errorf("codec: hole from byte %d to %d of a JPEG of %d bytes", h.From, h.To, len(jpeg))
		}
		at = h.To
	}
	whole := jpeg
	if len(holes) > 0 {
		whole = jpeg[:holes[0].From]
	}
	if err := s.head.parse(whole); err != nil {
		return err
	}
	s.jpeg = jpeg
	total := s.divide()
	if total == 1 {
		if len(holes) > 0 {
			return fmt.Errorf("%w: %d bytes are missing, and it has no strips", ErrFormat, holes[0].To-holes[0].From)
		}
		s.span = append(s.span, span{s.head.Data, len(jpeg)})
		return nil
	}
	w := stripWalk{Strips: s, holes: holes, total: total, start: s.head.Data}
	return w.walk()
}

// divide decides about rows and each, and returns how many restart intervals there
// must be.
func (s *Strips) divide() (total int) {
	h := &s.head
	down, across := units(h.Height, h.mcu.Y), units(h.Width, h.mcu.X)
	s.rows, s.each = down, 1
	if h.RestartInterval == 0 || h.Progressive || !h.together {
		return 1
	}
	common := gcd(h.RestartInterval, across)
	if h.RestartInterval/common >= down {
		return 1
	}
	s.rows, s.each = h.RestartInterval/common, across/common
	return units(down*across, h.RestartInterval)
}

// units is how many units of n it takes to hold all.
func units(all, n int) int { return (all + n - 1) / n }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Len is the number of strips, of which Lost are not there.
func (s *Strips) Len() int { return len(s.span) }

// Lost is how many strips are not there.
func (s *Strips) Lost() int { return s.lost }

// Whole reports whether strip i is there.
func (s *Strips) Whole(i int) bool { return s.span[i].to > 0 }

// Rows returns the rows of pixels that strip i covers; to is excluded.
func (s *Strips) Rows(i int) (from, to int) {
	high := s.rows * s.head.mcu.Y
	return i * high, min((i+1)*high, s.head.Height)
}

// Head is the JPEG up to its first strip: all that has to be equal for a strip to
// have the same meaning in two JPEGs.
func (s *Strips) Head() []byte { return s.jpeg[:s.head.Data:s.head.Data] }

// Piece is the part of a JPEG without holes that makes up strip i on the wire. Pieces
// follow each other without a gap: the first begins with the JPEG, the others with
// their strip, and each ends with the marker behind its strip, the last with the
// JPEG. So every piece but the first can be told by itself, if it is known to be one.
func (s *Strips) Piece(i int) []byte {
	from, to := 0, len(s.jpeg)
	if i > 0 {
		from = s.span[i].from
	}
	if i+1 < len(s.span) {
		to = s.span[i+1].from
	}
	return s.jpeg[from:to:to]
}
