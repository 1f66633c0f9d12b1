package codec

import (
	"bytes"
	"errors"
)

// ErrUnlike reports a strip that an earlier JPEG cannot stand in for, because their
// headers differ (size, tables, restart interval) or the earlier one lacks it, too.
var ErrUnlike = errors.New("codec: the earlier JPEG has no such strip")

// AppendConcealed appends to dst, as append does, the JPEG of s with every lost strip
// taken from earlier, undecoded, and returns how many these are. The result is a
// whole JPEG in memory of its own. Bytes behind EOI are left out.
//
// Restart intervals are independent of each other, and strip i has the same markers
// in every JPEG of the same header; so nothing has to be rewritten. On error
// (ErrUnlike) dst comes back as it was. dst must not overlap either JPEG.
func (s *Strips) AppendConcealed(dst []byte, earlier *Strips) ([]byte, int, error) {
	if s.Len() == 0 || s.Len() != earlier.Len() || !bytes.Equal(s.Head(), earlier.Head()) {
		return dst, 0, ErrUnlike
	}
	out := append(dst, s.Head()...)
	for i := range s.span {
		from := s
		if !s.Whole(i) {
			from = earlier
		}
		if !from.Whole(i) {
			return dst, 0, ErrUnlike
		}
		out = append(out, from.jpeg[from.span[i].from:from.span[i].to]...)
		if i+1 < len(s.span) {
			out = append(out, 0xFF, mRST0+byte((i+1)*s.each-1)&7)
		} else if s.Len() > 1 {
			out = append(out, 0xFF, mEOI)
		}
	}
	return out, s.lost, nil
}
