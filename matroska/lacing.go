package matroska

import "fmt"

// How a block that holds several frames says how long they are (RFC 9559 section
// 10.3). Video hardly ever comes so.
const (
	laceXiph  = 1
	laceFixed = 2
	laceEBML  = 3
)

// unlace cuts a block's content into its frames, which alias b. b is not empty.
func unlace(lacing byte, b []byte) ([][]byte, error) {
	bad := fmt.Errorf("%w: a block of several, which contradicts itself about their lengths", ErrFrame)
	count, b := int(b[0])+1, b[1:]
	sizes := make([]int, count-1) // the last one has the rest
	for i := range sizes {
		ok := false
		switch lacing {
		case laceXiph:
			sizes[i], b, ok = xiphSize(b)
		case laceEBML:
			before := -1
			if i > 0 {
				before = sizes[i-1]
			}
			sizes[i], b, ok = ebmlSize(b, before)
		case laceFixed:
			sizes[i], ok = len(b)/count, len(b)%count == 0
		}
		if !ok {
			return nil, bad
		}
	}
	frames := make([][]byte, 0, count)
	for _, n := range sizes {
		if n < 0 || n > len(b) {
			return nil, bad
		}
		frames, b = append(frames, b[:n]), b[n:]
	}
	return append(frames, b), nil
}

// xiphSize reads bytes that are added up, of which one below 255 is the last.
func xiphSize(b []byte) (size int, rest []byte, ok bool) {
	for i, c := range b {
		size += int(c)
		if c < 255 {
			return size, b[i+1:], true
		}
	}
	return 0, nil, false
}

// ebmlSize reads a number, or, unless before is negative, one that says by how much
// the size differs from the one before, shifted so that it is not negative.
func ebmlSize(b []byte, before int) (size int, rest []byte, ok bool) {
	v, n := parseVint(b, 8)
	if n == 0 {
		return 0, nil, false
	}
	size = int(v)
	if before >= 0 {
		size = before + int(v) - (1<<(7*n-1) - 1)
	}
	return size, b[n:], true
}
