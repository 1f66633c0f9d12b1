package matroska

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// File is what a Writer writes to: an empty *os.File will do.
type File interface {
	io.WriterAt
	Truncate(size int64) error
}

// Header is what a recording says of itself.
type Header struct {
	Width, Height int       // pixels, of the first picture
	Date          time.Time // when the first picture was captured
	Software      string    // what wrote it, such as "framegram 1.2.3"
}

const (
	tick       = time.Microsecond // of all times in a file we write
	maxContent = 1 << 30          // bytes of one frame; far above any limit of ours
	cueEvery   = time.Second      // a player seeks no finer; 20 bytes of memory and of file each
)

// Sizes in bytes of what is a Void until Close.
const (
	seekLen     = 2 + 1 + (2 + 1 + 4) + (2 + 1 + 8)
	seekHeadLen = 4 + 1 + 3*seekLen
	durationLen = 2 + 1 + 8
	rateLen     = 3 + 1 + 8
)

// rateFrom is after how many intervals a recording says what its usual one is.
const rateFrom = 31

// A Writer writes a recording, as the package comment describes. It belongs to one
// goroutine.
type Writer struct {
	file File
	pos  int64 // bytes of the file that hold
	buf  []byte
	head []byte // up to the first Cluster, while it is not written

	segment        int64 // where the Segment's content begins
	info, tracks   int64 // where they are
	duration, rate int64 // where there is room for them

	frames     uint64
	last, step time.Duration   // time of the last frame, and since the one before it
	steps      []time.Duration // of the first frames
	cues       []cue
}

// dateZero is what dates count from, in nanoseconds (RFC 8794 section 7.6).
var dateZero = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

type cue struct {
	at      time.Duration
	cluster int64 // from the Segment's content
}

// NewWriter prepares a recording. Nothing is written before the first frame, so that
// a file is either empty or has a picture.
func NewWriter(file File, h Header) *Writer {
	w := &Writer{file: file}
	w.setHead(h)
	return w
}

// setHead makes what stands before the first Cluster.
func (w *Writer) setHead(h Header) {
	var e []byte
	e = appendUint(e, idVersion, 1)
	e = appendUint(e, idReadVersion, 1)
	e = appendUint(e, idMaxIDLength, 4)
	e = appendUint(e, idMaxSizeLength, 8)
	e = appendBytes(e, idDocType, "matroska")
	e = appendUint(e, idDocVersion, 4)
	e = appendUint(e, idDocReadVersion, 2) // SimpleBlock

	b := appendBytes(nil, idEBML, e)
	b = append(appendID(b, idSegment), 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
	w.segment = int64(len(b))
	b = appendVoid(b, seekHeadLen)

	date := h.Date.Sub(dateZero) // stops at ±292 years
	e = appendUint(e[:0], idTimestampScale, uint64(tick))
	e = appendBytes(e, idMuxingApp, h.Software)
	e = appendBytes(e, idWritingApp, h.Software)
	e = appendUint64(e, idDateUTC, uint64(date))
	e = appendVoid(e, durationLen)
	w.info = int64(len(b))
	b = appendBytes(b, idInfo, e)
	w.duration = int64(len(b)) - durationLen

	v := appendUint(nil, idPixelWidth, uint64(h.Width))
	v = appendUint(v, idPixelHeight, uint64(h.Height))
	e = appendUint(e[:0], idTrackNumber, 1)
	e = appendUint(e, idTrackUID, uint64(date)|1) // not 0, and hardly that of another recording
	e = appendUint(e, idTrackType, 1)             // video
	e = appendUint(e, idFlagLacing, 0)
	e = appendBytes(e, idCodecID, codecMJPEG)
	e = appendBytes(e, idVideo, v)
	e = appendVoid(e, rateLen)
	w.tracks = int64(len(b))
	w.head = appendBytes(b, idTracks, appendBytes(nil, idTrackEntry, e))
	w.rate = int64(len(w.head)) - rateLen
}

// Write appends a frame, which it borrows, at a time counted from the first frame.
// Times must ascend; one that does not becomes that of the frame before and a
// microsecond. After an error the file is as it was before, as far as it lets itself
// be cut, and Close finishes it.
func (w *Writer) Write(at time.Duration, jpeg []byte) error {
	if len(jpeg) == 0 || len(jpeg) > maxContent {
		return fmt.Errorf("matroska: frame of %d bytes, want 1..%d", len(jpeg), maxContent)
	}
	at = max(at, 0).Truncate(tick)
	if w.frames > 0 {
		at = max(at, w.last+tick)
	}
	head := len(w.head)
	b := appendCluster(append(w.buf[:0], w.head...), uint64(at/tick), jpeg)
	w.buf = b
	cluster := w.pos + int64(head) - w.segment
	if err := w.put(b); err != nil {
		return err
	}
	w.head = nil
	if n := len(w.cues); n == 0 || at-w.cues[n-1].at >= cueEvery {
		w.cues = append(w.cues, cue{at, cluster})
	}
	w.step, w.last = at-w.last, at
	if w.frames++; w.frames == 1 || len(w.steps) == rateFrom {
		return nil
	}
	if w.steps = append(w.steps, w.step); len(w.steps) == rateFrom {
		return w.putRate()
	}
	return nil
}

// appendCluster appends a Cluster with one frame.
func appendCluster(b []byte, ticks uint64, jpeg []byte) []byte {
	block := uint64(4 + len(jpeg))
	b = appendSize(appendID(b, idCluster), uint64(uintLen(idTimestamp, ticks))+elementLen(idSimpleBlock, block))
	b = appendUint(b, idTimestamp, ticks)
	b = appendSize(appendID(b, idSimpleBlock), block)
	b = append(b, 0x81, 0, 0, 0x80) // track 1, at the Cluster's time, a keyframe, no lacing
	return append(b, jpeg...)
}

// put appends b to the file in one write, or leaves the file as it was.
func (w *Writer) put(b []byte) error {
	if _, err := w.file.WriteAt(b, w.pos); err != nil {
		return errors.Join(err, w.file.Truncate(w.pos))
	}
	w.pos += int64(len(b))
	return nil
}

// putRate says what the usual interval is: the median, which gaps and jitter leave
// alone. Readers who want to know a rate would guess it from the times, and FFmpeg
// guesses up to a million frames a second for a stream that jitters or has losses: it
// repeats each frame so often where the output has a constant rate.
func (w *Writer) putRate() error {
	slices.Sort(w.steps)
	return w.patch(w.rate, appendUint64(nil, idDefaultDuration, uint64(w.steps[len(w.steps)/2])))
}

// Size is the length of the file in bytes.
func (w *Writer) Size() int64 { return w.pos }

// Close makes what was written seekable and says how long it is. It does not close
// the file. Where the index finds no room any more, the error says so, and the
// recording is whole nevertheless.
func (w *Writer) Close() error {
	if w.frames == 0 {
		return nil
	}
	end := w.pos
	err := w.put(w.appendCues())
	if err == nil {
		err = w.patch(w.segment, w.appendSeekHead(nil, end))
	} else {
		err = fmt.Errorf("matroska: the recording is whole, but has no index for seeking: %w", err)
	}
	if n := len(w.steps); n > 0 && n < rateFrom {
		err = errors.Join(err, w.putRate())
	}
	duration := float64(w.last+w.step) / float64(tick) // as if the last frame stood as long as the one before
	return errors.Join(err,
		w.patch(w.duration, appendUint64(nil, idDuration, math.Float64bits(duration))),
		w.patch(w.segment-8, appendVint(nil, uint64(w.pos-w.segment), 8))) // now it is whole
}

// patch replaces bytes that were reserved for it.
func (w *Writer) patch(at int64, b []byte) error {
	_, err := w.file.WriteAt(b, at)
	return err
}

func (w *Writer) appendSeekHead(b []byte, cues int64) []byte {
	var seeks []byte
	for _, s := range []struct {
		id uint32
		at int64
	}{{idInfo, w.info}, {idTracks, w.tracks}, {idCues, cues}} {
		e := appendBytes(nil, idSeekID, appendID(nil, s.id))
		seeks = appendBytes(seeks, idSeek, appendUint64(e, idSeekPosition, uint64(s.at-w.segment)))
	}
	return appendBytes(b, idSeekHead, seeks)
}

func (w *Writer) appendCues() []byte {
	var cues, point []byte
	for _, c := range w.cues {
		pos := appendUint(nil, idCueTrack, 1)
		pos = appendUint(pos, idCuePosition, uint64(c.cluster))
		point = appendUint(point[:0], idCueTime, uint64(c.at/tick))
		point = appendBytes(point, idCueTracks, pos)
		cues = appendBytes(cues, idCuePoint, point)
	}
	return appendBytes(nil, idCues, cues)
}
