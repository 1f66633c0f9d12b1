package matroska

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"time"
)

// maxMaster bounds an Info or a Tracks element, in bytes: they are read as a whole.
const maxMaster = 1 << 20

// forever is where an element ends whose size is unknown.
const forever = math.MaxInt64

// ErrFrame matches the error of a frame that cannot be used; those behind it can.
var ErrFrame = errors.New("matroska: frame left out")

// seekOver is from how many bytes on what is skipped is not read.
const seekOver = 1 << 20

// A Reader reads the JPEGs of a Matroska file, of whatever writer, from its start to
// its end. Where its input is an io.Seeker, as a file is, much that is skipped at once
// is not read. Its memory is bounded by the limit of a frame and 2 MiB. It belongs to
// one goroutine.
type Reader struct {
	in    io.Reader
	r     *bufio.Reader // of in
	pos   int64         // bytes read
	max   int           // bytes of a frame
	info  Info
	scale uint64 // ns of a tick
	track track
	ended error // why there is not one frame

	// Where the element ends that is being read: 0 = none is, forever = unknown.
	segment, cluster, group int64
	time                    uint64 // of the Cluster, ticks

	small [8]byte // what a number is read into
	laced []byte  // of the last block with several frames
	lace  [][]byte
	at    time.Duration // of the next of them
}

// NewReader reads up to the first frame. maxFrame bounds one, in bytes.
//
// The error is a *CodecError if the first video track is not of JPEGs, matches
// ErrFormat for what is no Matroska, and io.ErrUnexpectedEOF for what ends too early.
func NewReader(r io.Reader, maxFrame int) (*Reader, error) {
	m := &Reader{in: r, r: bufio.NewReaderSize(r, 64<<10), max: maxFrame, scale: uint64(time.Millisecond)}
	if magic, err := m.r.Peek(len(Magic)); string(magic) != Magic {
		if err != nil && err != io.EOF {
			return nil, err
		}
		return nil, fmt.Errorf("%w: it does not begin with an EBML header", ErrFormat)
	}
	_, size, err := m.header()
	if err != nil {
		return nil, m.early(err)
	}
	head, err := m.master(idEBML, size)
	if err == nil {
		err = checkEBML(head)
	}
	if err != nil {
		return nil, err
	}
	if err := m.toCluster(); err != nil {
		return nil, err
	}
	m.info.Width, m.info.Height = int(min(m.track.width, math.MaxInt32)), int(min(m.track.height, math.MaxInt32))
	if m.track.interval < math.MaxInt64 {
		m.info.Interval = time.Duration(m.track.interval)
	}
	return m, nil
}

// Info is what the file says of itself.
func (m *Reader) Info() Info { return m.info }

// toCluster reads what stands before the first Cluster.
func (m *Reader) toCluster() error {
	tracks := false
	for {
		id, size, err := m.next()
		switch {
		case tracks && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)): // no frame
			m.ended = err
			return nil
		case err != nil:
			return m.early(err)
		case m.segment == 0 && id == idSegment:
			m.segment = m.end(size)
		case id == idCluster && tracks:
			m.cluster = m.end(size)
			return nil
		case id == idCluster:
			return fmt.Errorf("%w: no Tracks before the first Cluster", ErrFormat)
		case id == idInfo || id == idTracks:
			content, err := m.master(id, size)
			if err == nil && id == idInfo {
				m.info, m.scale, err = parseInfo(content)
			} else if err == nil {
				tracks = true
				m.track, err = videoTrack(content)
			}
			if err != nil {
				return err
			}
		default:
			if err := m.skip(size); err != nil {
				return err
			}
		}
	}
}

// Next appends the next frame to dst, which the caller owns, and returns its time, by
// the file's clock. At the end the error is io.EOF; where bytes are missing, one that
// matches io.ErrUnexpectedEOF, and where the file is damaged, ErrFormat, each after
// every frame before. An error that matches ErrFrame is that of one frame only.
func (m *Reader) Next(dst []byte) ([]byte, time.Duration, error) {
	for {
		if len(m.lace) > 0 {
			return m.unlace(dst)
		}
		if m.ended != nil {
			return dst, 0, m.ended
		}
		id, size, err := m.next()
		if err != nil {
			return dst, 0, err
		}
		switch {
		case id == idCluster && m.cluster == 0:
			m.cluster, m.time = m.end(size), 0
		case id == idTimestamp && m.cluster != 0 && size <= 8:
			var b []byte
			if b, err = m.read(m.small[:0], size); err == nil {
				m.time, err = element{id, b}.uint()
			}
		case id == idBlockGroup && m.cluster != 0 && m.group == 0:
			m.group = m.end(size)
		case id == idSimpleBlock && m.cluster != 0 || id == idBlock && m.group != 0:
			n := len(dst)
			var at time.Duration
			if dst, at, err = m.block(dst, size); err != nil || len(dst) > n {
				return dst, at, err
			}
		default:
			err = m.skip(size)
		}
		if err != nil {
			return dst, 0, err
		}
	}
}

// next reads the ID and the size of the next element, having left those that end here.
// io.EOF means that nothing is missing.
func (m *Reader) next() (id uint32, size uint64, err error) {
	if m.pos == m.group {
		m.group = 0
	}
	if m.pos == m.cluster {
		m.cluster = 0
	}
	if m.segment != 0 && m.pos == m.segment {
		return 0, 0, io.EOF
	}
	limit := m.limit()
	at := m.pos
	id, size, err = m.header()
	switch {
	case err == io.EOF && limit == forever && m.segment != 0:
		return 0, 0, io.EOF
	case err != nil:
		return 0, 0, m.early(err)
	case m.segment == forever && (id == idEBML || id == idSegment): // another file behind
		return 0, 0, io.EOF
	}
	if m.cluster == forever && m.group == 0 && top(id) {
		m.cluster = 0
	}
	if size == sizeUnknown && id != idSegment && id != idCluster { // RFC 9559 section 4.5
		return 0, 0, fmt.Errorf("%w: at byte %d element %X is of unknown size, which it may not be", ErrFormat, at, id)
	}
	if size != sizeUnknown && m.end(size) > limit {
		return 0, 0, fmt.Errorf("%w: at byte %d element %X is longer than what it stands in", ErrFormat, at, id)
	}
	return id, size, nil
}

// top reports whether an element stands in the Segment itself, so that it ends a
// Cluster of unknown size.
func top(id uint32) bool {
	switch id {
	case idCluster, idCues, idTags, idInfo, idTracks, idSeekHead, idAttachments, idChapters:
		return true
	}
	return false
}

// limit is where the innermost element of known size ends that is being read.
func (m *Reader) limit() int64 {
	for _, end := range [...]int64{m.group, m.cluster, m.segment} {
		if end != 0 && end != forever {
			return end
		}
	}
	return forever
}

// end is where an element ends whose content begins here. Sizes have 56 bits.
func (m *Reader) end(size uint64) int64 {
	if size == sizeUnknown {
		return forever
	}
	return m.pos + int64(size)
}

// header reads an element's ID and size. io.EOF means that there is not one byte.
func (m *Reader) header() (id uint32, size uint64, err error) {
	at := m.pos
	field, err := m.vint(4)
	if err == nil {
		id, _ = parseID(field)
		if field, err = m.vint(8); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	if errors.Is(err, ErrFormat) {
		err = fmt.Errorf("%w: damaged at byte %d", ErrFormat, at)
	}
	size, _ = parseSize(field)
	return id, size, err
}

// vint reads the bytes of a number that has at most limit of them, up to 8. They are
// valid until the next one is read.
func (m *Reader) vint(limit int) ([]byte, error) {
	b := m.small[:]
	if _, err := io.ReadFull(m.r, b[:1]); err != nil {
		return nil, err
	}
	m.pos++
	n := vintLen(b[0])
	if n > limit {
		return nil, ErrFormat
	}
	got, err := io.ReadFull(m.r, b[1:n])
	m.pos += int64(got)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b[:n], err
}

// early makes an error of the input's end.
func (m *Reader) early(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("matroska: it ends after %d bytes, in mid-recording: %w", m.pos, io.ErrUnexpectedEOF)
	}
	return err
}

// master reads the content of an element that is looked at as a whole.
func (m *Reader) master(id uint32, size uint64) ([]byte, error) {
	if size > maxMaster {
		return nil, fmt.Errorf("%w: element %X of %d bytes", ErrFormat, id, size)
	}
	return m.read(nil, size)
}

// readStep is how much is allocated at a time before it is there.
const readStep = 1 << 20

// read appends the next n bytes to dst. What has been claimed and does not come takes
// no memory.
func (m *Reader) read(dst []byte, n uint64) ([]byte, error) {
	start := len(dst)
	for n > 0 {
		step := int(min(n, readStep))
		dst = slices.Grow(dst, step)
		part := dst[len(dst) : len(dst)+step]
		got, err := io.ReadFull(m.r, part)
		m.pos += int64(got)
		if err != nil {
			return dst[:start], m.early(err)
		}
		dst, n = dst[:len(dst)+step], n-uint64(step)
	}
	return dst, nil
}

func (m *Reader) skip(n uint64) error {
	if n > seekOver && m.jump(n-1) {
		n = 1 // read, since one may seek behind the end as well
	}
	for n > 0 {
		got, err := m.r.Discard(int(min(n, 1<<30)))
		m.pos, n = m.pos+int64(got), n-uint64(got)
		if err != nil {
			m.pos -= m.beyond()
			return m.early(err)
		}
	}
	return nil
}

// jump passes over n bytes, less than 2^56, without reading them. If the input cannot do
// that, nothing has happened.
func (m *Reader) jump(n uint64) bool {
	s, ok := m.in.(io.Seeker)
	if !ok {
		return false
	}
	if _, err := s.Seek(int64(n)-int64(m.r.Buffered()), io.SeekCurrent); err != nil {
		return false // a pipe, or further than a file can reach
	}
	m.r.Reset(m.in)
	m.pos += int64(n)
	return true
}

// beyond is how far behind its end the input stands after a jump.
func (m *Reader) beyond() int64 {
	s, ok := m.in.(io.Seeker)
	if !ok {
		return 0
	}
	at, atErr := s.Seek(0, io.SeekCurrent)
	end, endErr := s.Seek(0, io.SeekEnd)
	if atErr != nil || endErr != nil {
		return 0
	}
	return max(0, at-end)
}

// block reads the content of a SimpleBlock or Block (RFC 9559 section 10). One of
// another track leaves dst as it is.
func (m *Reader) block(dst []byte, size uint64) ([]byte, time.Duration, error) {
	start := m.pos
	field, err := m.vint(8)
	if err != nil {
		return dst, 0, m.early(err)
	}
	number, n := parseVint(field, 8)
	if uint64(n)+3 > size {
		return dst, 0, fmt.Errorf("%w: at byte %d a block of %d bytes", ErrFormat, start, size)
	}
	size -= uint64(n) + 3
	if number != m.track.number {
		return dst, 0, m.skip(size + 3)
	}
	rest, err := m.read(m.small[:0], 3)
	if err != nil {
		return dst, 0, err
	}
	at := m.when(int16(binary.BigEndian.Uint16(rest)))
	lacing := rest[2] >> 1 & 3
	switch {
	case size == 0:
		return dst, 0, fmt.Errorf("%w: it is empty", ErrFrame)
	case size > uint64(max(0, m.max-len(m.track.prefix))):
		if err := m.skip(size); err != nil {
			return dst, 0, err
		}
		return dst, 0, fmt.Errorf("%w: it has %d bytes, over the limit of %d", ErrFrame, size, m.max)
	case lacing == 0:
		whole, err := m.read(append(dst, m.track.prefix...), size)
		if err != nil {
			return dst, 0, err
		}
		return whole, at, nil
	}
	if m.laced, err = m.read(m.laced[:0], size); err != nil {
		return dst, 0, err
	}
	m.at = at
	if m.lace, err = unlace(lacing, m.laced); err != nil {
		return dst, 0, err
	}
	return m.unlace(dst)
}

// unlace returns the next frame of a block that has several. They are as far apart as
// frames nominally are.
func (m *Reader) unlace(dst []byte) ([]byte, time.Duration, error) {
	frame, at := m.lace[0], m.at
	m.lace, m.at = m.lace[1:], m.at+m.info.Interval
	if len(frame) == 0 {
		return dst, 0, fmt.Errorf("%w: it is empty", ErrFrame)
	}
	return append(append(dst, m.track.prefix...), frame...), at, nil
}

// when is the time of a block, as near as a Duration comes.
func (m *Reader) when(relative int16) time.Duration {
	ticks := m.time + uint64(int64(relative))
	if relative < 0 && m.time < uint64(-int64(relative)) {
		return 0
	}
	high, ns := bits.Mul64(ticks, m.scale)
	if high > 0 || ns > math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}
