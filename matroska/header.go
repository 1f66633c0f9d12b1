package matroska

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Magic is what every Matroska file begins with: the ID of the EBML header.
const Magic = "\x1A\x45\xDF\xA3"

const codecMJPEG = "V_MJPEG"

// ErrFormat matches what is no Matroska, or breaks its rules.
var ErrFormat = errors.New("matroska: not valid Matroska")

// CodecError reports a file without a video track that can be read here. Codec is
// that of its first video track, such as "V_MPEG4/ISO/AVC"; "" if it has none. It is
// fit to be shown: quoted as Go does where it would not be, and cut after 64 bytes.
type CodecError struct{ Codec string }

func (e *CodecError) Error() string {
	if e.Codec == "" {
		return "matroska: no video track"
	}
	return fmt.Sprintf("matroska: the video is %s, not %s", e.Codec, codecMJPEG)
}

// Info is what a file says of itself and its video.
type Info struct {
	Width, Height int           // pixels, of most pictures; 0 if it does not say
	Date          time.Time     // when it was recorded; zero if it does not say
	Duration      time.Duration // 0 if it does not say, as one whose writer was killed
	Interval      time.Duration // between frames, nominally; 0 if it does not say
	Software      string        // what wrote it
}

// element is one inside a master element that is in memory.
type element struct {
	id      uint32
	content []byte
}

// children calls f for each element in a master's content.
func children(b []byte, f func(element) error) error {
	for len(b) > 0 {
		id, n := parseID(b)
		if n == 0 {
			return fmt.Errorf("%w: no element ID where one must be", ErrFormat)
		}
		b = b[n:]
		size, n := parseSize(b)
		if n == 0 || size > uint64(len(b)-n) { // an unknown size too
			return fmt.Errorf("%w: element %X is longer than what it stands in", ErrFormat, id)
		}
		if err := f(element{id, b[n : n+int(size)]}); err != nil {
			return err
		}
		b = b[n+int(size):]
	}
	return nil
}

// parseID returns an element ID, with its marker, and its length in bytes, 0 if there
// is none.
func parseID(b []byte) (id uint32, n int) {
	v, n := parseVint(b, 4)
	return uint32(v | 1<<(7*n)), n
}

// parseSize returns an element's size, or sizeUnknown, and the length of the field in
// bytes, 0 if there is none.
func parseSize(b []byte) (size uint64, n int) {
	v, n := parseVint(b, 8)
	if v == 1<<(7*n)-1 {
		return sizeUnknown, n
	}
	return v, n
}

// parseVint returns a number of at most limit bytes without its marker.
func parseVint(b []byte, limit int) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = vintLen(b[0])
	if n > limit || n > len(b) {
		return 0, 0
	}
	v = uint64(b[0]) &^ (1 << (8 - n))
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

func (e element) uint() (v uint64, err error) {
	if len(e.content) > 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes in element %X", ErrFormat, len(e.content), e.id)
	}
	for _, c := range e.content {
		v = v<<8 | uint64(c)
	}
	return v, nil
}

func (e element) float() (float64, error) {
	switch len(e.content) {
	case 0:
		return 0, nil
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(e.content))), nil
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(e.content)), nil
	}
	return 0, fmt.Errorf("%w: a float of %d bytes in element %X", ErrFormat, len(e.content), e.id)
}

// maxText bounds a string that is kept, in bytes. Names of codecs and of programs are
// shorter.
const maxText = 64

// text is a string without the zeros that may pad it (RFC 8794 section 7.4), fit to be
// shown: cut after maxText bytes, and quoted unless all of it is printable.
func (e element) text() string {
	b := e.content
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	s := string(b[:min(len(b), maxText)])
	if len(b) > maxText {
		for i := 0; i < utf8.UTFMax && !utf8.ValidString(s); i++ { // a character cut in two
			s = s[:len(s)-1]
		}
		s += "..."
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// vintLen is how many bytes the number has that begins with b; 9 if none does.
func vintLen(b byte) int { return bits.LeadingZeros8(b) + 1 }
