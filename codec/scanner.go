package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	defaultMaxFrame = 16 << 20 // bytes: the frame limit of the wire
	readSize        = 64 << 10 // least room for a Read: a pipe's default capacity on Linux, pipe(7)
	maxEmptyReads   = 100      // as bufio
)

// Scanner cuts a stream of concatenated JPEGs into pictures. It follows markers
// and segment lengths, so it is not misled by a thumbnail inside an APPn segment,
// and it holds a picture ready as soon as its EOI has been read, without waiting
// for what comes behind. Bytes between pictures are skipped. After a broken picture
// it goes on at the next SOI that can start one.
//
// It checks the structure only; whether a picture decodes is the Decoder's matter.
type Scanner struct {
	r     io.Reader
	max   int
	err   error // from r, sticky
	stats ScannerStats

	buf   []byte // buf[start:] was read and is not delivered or skipped
	start int    // of the picture, while there is one
	pos   int    // parsed up to here
	last  int    // behind the marker of the last segment, which is unproven until a marker follows it
	skip  int    // bytes of that segment still to pass
	state scanState
	over  bool // the picture is over max: parsed, not kept
	scans bool // the picture has an SOS
}

type scanState int

const (
	seeking  scanState = iota // for an SOI
	segments                  // a marker must come
	entropy                   // between SOS and the next marker
)

// ScannerStats count since the start.
type ScannerStats struct {
	Skipped  int64 // bytes that were in no picture delivered
	TooLarge int64 // pictures over the limit
	Broken   int64 // pictures that broke off or had an impossible structure
}

// NewScanner reads from r. maxFrame bounds a picture, in bytes, and with it the
// Scanner's memory (maxFrame + 128 KiB at most); zero means 16 MiB. Larger pictures
// are skipped and counted.
func NewScanner(r io.Reader, maxFrame int) *Scanner {
	if maxFrame <= 0 {
		maxFrame = defaultMaxFrame
	}
	return &Scanner{r: r, max: maxFrame}
}

// Stats may be called between calls of Next.
func (s *Scanner) Stats() ScannerStats { return s.stats }

// Next appends the next picture to dst; the result is the caller's. At the end it
// returns dst and io.EOF; if the stream ends within a picture, an error that wraps
// io.ErrUnexpectedEOF first; if r fails otherwise, r's error, after every picture
// read before.
func (s *Scanner) Next(dst []byte) ([]byte, error) {
	for empty := 0; ; {
		if s.advance() {
			dst = append(dst, s.buf[s.start:s.pos]...)
			s.start, s.state = s.pos, seeking
			return dst, nil
		}
		if s.err != nil {
			return dst, s.end()
		}
		if n := s.fill(); n > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
}

func (s *Scanner) end() error {
	open := s.state != seeking && !s.over
	s.stats.Skipped += int64(len(s.buf) - s.start)
	s.buf, s.start, s.pos, s.skip, s.state = nil, 0, 0, 0, seeking
	if open {
		s.stats.Broken++
		if errors.Is(s.err, io.EOF) {
			return fmt.Errorf("codec: the stream ends within a picture: %w", io.ErrUnexpectedEOF)
		}
	}
	return s.err
}

// fill reads once, having made room by moving the open picture to the front.
func (s *Scanner) fill() int {
	if s.start > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.pos, s.last, s.start = s.pos-s.start, s.last-s.start, 0
	}
	if cap(s.buf)-len(s.buf) < readSize {
		size := min(2*len(s.buf), s.max) + 2*readSize
		s.buf = append(make([]byte, 0, size), s.buf...)
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf, s.err = s.buf[:len(s.buf)+n], err
	return n
}

// advance parses what has been read. It returns true when buf[start:pos] is a
// whole picture, false when it needs more.
func (s *Scanner) advance() bool {
	for {
		if s.state == seeking && !s.seek() {
			return false
		}
		if n := min(s.skip, len(s.buf)-s.pos); n > 0 {
			s.pos, s.skip = s.pos+n, s.skip-n
		}
		if s.state == entropy && s.skip == 0 {
			if i := bytes.IndexByte(s.buf[s.pos:], 0xFF); i >= 0 {
				s.pos += i
			} else {
				s.pos = len(s.buf)
			}
		}
		s.limit()
		if s.pos == len(s.buf) {
			return false
		}
		if whole, more := s.marker(); more {
			return false
		} else if whole {
			if s.limit(); !s.over {
				return true
			}
			s.state = seeking
		}
	}
}

// limit drops what is parsed of a picture that has grown over the limit.
func (s *Scanner) limit() {
	if !s.over && s.pos-s.start > s.max {
		s.over = true
		s.stats.TooLarge++
	}
	if s.over {
		s.drop(s.pos)
	}
}

// drop skips up to position to.
func (s *Scanner) drop(to int) {
	s.stats.Skipped += int64(to - s.start)
	s.start = to
}

var startOfPicture = []byte{0xFF, mSOI, 0xFF}

// seek looks for the start of a picture: SOI and the first byte of a marker.
func (s *Scanner) seek() bool {
	if i := bytes.Index(s.buf[s.pos:], startOfPicture); i >= 0 {
		s.drop(s.pos + i)
		s.pos = s.start + 2
		s.last, s.skip, s.state, s.over, s.scans = s.pos, 0, segments, false, false
		return true
	}
	keep := 0
	for n := min(len(startOfPicture)-1, len(s.buf)-s.pos); n > 0; n-- {
		if bytes.HasSuffix(s.buf, startOfPicture[:n]) {
			keep = n
			break
		}
	}
	s.pos = len(s.buf) - keep
	s.drop(s.pos)
	return false
}

// marker reads the marker at pos. whole: it is the EOI of a picture. more: it is
// not all there yet.
func (s *Scanner) marker() (whole, more bool) {
	p := s.pos
	for p < len(s.buf) && s.buf[p] == 0xFF { // fill bytes, T.81 B.1.1.2
		p++
	}
	if p == s.pos {
		s.broken(s.last) // the segment before had a wrong length: the next picture may be in it
		return false, false
	}
	if p == len(s.buf) {
		s.pos = p - 1 // the fill bytes need not be looked at again
		return false, true
	}
	switch c := s.buf[p]; {
	case c == 0 && s.state == entropy, isRestart(c):
		s.pos = p + 1
	case c == mEOI && s.scans:
		s.pos = p + 1
		return true, false
	case c == mSOI:
		s.broken(p - 1)
	case c < mSOF0, c == mEOI:
		s.broken(p + 1)
	case len(s.buf)-p < 3:
		s.pos = p - 1
		return false, true
	case segmentLen(s.buf, p+1) < 2:
		s.broken(p + 1)
	default:
		s.last, s.pos, s.skip = p+1, p+1, segmentLen(s.buf, p+1)
		s.state = segments
		if c == mSOS {
			s.state, s.scans = entropy, true
		}
	}
	return false, false
}

// broken gives the picture up and goes on seeking at position at, if that is still
// in the buffer.
func (s *Scanner) broken(at int) {
	if !s.over {
		s.stats.Broken++
	}
	s.pos = max(at, s.start)
	s.drop(s.pos)
	s.state, s.skip = seeking, 0
}
