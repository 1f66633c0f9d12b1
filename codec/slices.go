package codec

import (
	"encoding/binary"
	"fmt"
	"image"
	"runtime"
	"sync/atomic"
)

// MaxSlices bounds the strips that an Encoder can be asked for. (It writes more than
// it was asked for, but one, if a strip would have more MCUs than a restart interval
// can hold, which is never so below 4 Mi pixels a strip.)
const MaxSlices = 64

// AutoSlices leaves the number of strips to the Encoder: twice as many as there are
// cores, so that none waits long for the slowest, 4 to 8, and each at least 64 rows
// high. (8 restart markers can be told apart; see FindAround.)
const AutoSlices = -1

// stripRows is what the height of a strip is a multiple of, in pixels: the MCU's
// height, or twice that, of every kind of JPEG that is written here.
const stripRows = 16

// source is a picture to encode: planar or, if that is nil, packed.
type source struct {
	planar *image.YCbCr
	packed packed
	sub    Subsampling // of packed
}

func (s source) size() image.Point {
	if s.planar != nil {
		return s.planar.Rect.Size()
	}
	return s.packed.size
}

// rows is the part of s between two rows, in its memory. from is a multiple of
// stripRows. view is where the description of a planar part goes.
func (s source) rows(from, to int, view *image.YCbCr) source {
	if s.planar == nil {
		s.packed.pix = s.packed.pix[from*s.packed.stride:]
		s.packed.size.Y = to - from
		return s
	}
	rowsOf(view, s.planar, from, to)
	s.planar = view
	return s
}

// rowsOf makes view a view of p's rows from to to-1, counted from its top. It starts
// with a chroma sample, as p and row from do.
func rowsOf(view, p *image.YCbCr, from, to int) {
	_, vs := steps(p.SubsampleRatio)
	*view = *p
	view.Y, view.Cb, view.Cr = p.Y[from*p.YStride:], p.Cb[from/vs*p.CStride:], p.Cr[from/vs*p.CStride:]
	view.Rect = image.Rect(0, 0, p.Rect.Dx(), to-from)
}

// encode appends the JPEG of s as a whole.
func (e *nativeEncoder) encode(dst []byte, s source, quality int) ([]byte, error) {
	if s.planar != nil {
		return e.planarPicture(dst, s.planar, quality)
	}
	return e.packedPicture(dst, s.packed, s.sub, quality)
}

// slicer encodes pictures strip by strip, at the same time, and joins the strips in
// their order as they become ready.
type slicer struct {
	crew  *crew // started when the first picture comes
	strip []*stripEncoder

	src     source // the picture under way
	n, high int    // strips, and rows of pixels of each but the last
	quality int
	ready   func(jpeg []byte)

	out    []byte
	start  int // of the JPEG in out
	joined int // strips that are in out
	data   int // where the data begin in each strip's own JPEG
}

// stripEncoder keeps what one strip needs from picture to picture.
type stripEncoder struct {
	native nativeEncoder
	view   image.YCbCr
	jpeg   []byte // of its own, complete
	err    error
	done   atomic.Bool
}

// stripHeight is how many rows of pixels each strip of a picture has, if there are to
// be n.
func stripHeight(size image.Point, n int) int {
	lines := units(size.Y, stripRows)
	if n == AutoSlices {
		n = min(max(2*runtime.GOMAXPROCS(0), 4), 8, max(lines/4, 1))
	}
	high := units(lines, max(n, 1))
	if n > 1 { // with MCUs of 8x8, the most that there can be
		high = min(high, 65535/units(size.X, 8)/(stripRows/8))
	}
	return high * stripRows
}

// append encodes src in strips of high rows, which is less than all of its rows.
func (s *slicer) append(dst []byte, src source, high, quality int, sub Subsampling, ready func(jpeg []byte)) ([]byte, error) {
	n := units(src.size().Y, high)
	if s.crew == nil {
		s.crew = newCrew(0)
	}
	for len(s.strip) < n {
		e := new(stripEncoder)
		if err := e.native.open(sub); err != nil {
			return dst, err
		}
		s.strip = append(s.strip, e)
	}
	for _, e := range s.strip[:n] {
		e.done.Store(false)
	}
	s.src, s.n, s.high, s.quality, s.ready = src, n, high, quality, ready
	s.out, s.start, s.joined = dst, len(dst), 0
	s.crew.run(s, n)
	err := s.join()
	out := s.out
	s.src, s.ready, s.out = source{}, nil, nil
	if err != nil {
		return dst, err
	}
	return out, nil
}

// part implements job. Hand 0, the caller, is also the one who joins.
func (s *slicer) part(hand, i int) {
	e, from := s.strip[i], i*s.high
	part := s.src.rows(from, min(from+s.high, s.src.size().Y), &e.view)
	e.jpeg, e.err = e.native.encode(e.jpeg[:0], part, s.quality)
	e.view = image.YCbCr{}
	e.done.Store(true)
	if hand == 0 && s.ready != nil {
		_ = s.join() // told again at the end
	}
}

// join appends the strips that are ready and whose turn it is, and shows what there is
// then. A strip with an error is never joined, nor are those behind it.
//
// Every strip was encoded by itself, with the same tables. Its data begin with fresh
// predictions and end with 1 bits up to a whole byte, as a restart interval's do
// (T.81 F.1.2.3), so they fit between two restart markers as they are.
func (s *slicer) join() error {
	before := s.joined
	for s.joined < s.n && s.strip[s.joined].done.Load() {
		e := s.strip[s.joined]
		if e.err != nil {
			return e.err
		}
		if s.joined == 0 {
			if err := s.head(e.jpeg); err != nil {
				return err
			}
		}
		s.out = append(s.out, e.jpeg[s.data:len(e.jpeg)-2]...) // without EOI
		if s.joined++; s.joined < s.n {
			s.out = append(s.out, 0xFF, mRST0+byte(s.joined-1)&7)
		} else {
			s.out = append(s.out, 0xFF, mEOI)
		}
	}
	if s.joined > before && s.ready != nil {
		s.ready(s.out)
	}
	return nil
}

// head makes the header of the first strip that of the picture.
func (s *slicer) head(first []byte) error {
	var h headerParser
	if err := h.parse(first); err != nil {
		return fmt.Errorf("codec: first strip: %w", err)
	}
	interval := units(h.Width, h.mcu.X) * (s.high / h.mcu.Y)
	s.data = h.Data
	s.out = append(s.out, first[:h.Scan]...)
	binary.BigEndian.PutUint16(s.out[s.start+h.height:], uint16(s.src.size().Y))
	s.out = append(s.out, 0xFF, mDRI, 0, 4, byte(interval>>8), byte(interval))
	s.out = append(s.out, first[h.Scan:h.Data]...)
	return nil
}

func (s *slicer) close() {
	s.crew.close()
	for _, e := range s.strip {
		e.native.close()
	}
	*s = slicer{}
}
