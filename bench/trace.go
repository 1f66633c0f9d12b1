package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// SentFrame is a line of the sender's trace. Times are µs since the Unix epoch by the
// sender's clock.
type SentFrame struct {
	Captured int64 `json:"captured"` // what names the frame at both ends
	Encoded  int64 `json:"encoded"`
	Sent     int64 `json:"sent"`  // its last datagram or byte was handed to the kernel; 0 = never
	Bytes    int   `json:"bytes"` // of the JPEG

	Faults int64 `json:"minflt,omitempty"` // minor page faults of the process until then; 0 = not known
}

// ShownFrame is a line of the viewer's trace: of a frame that was shown, or of one that
// was complete and that a newer one overtook before it could be decoded. Times are µs
// since the Unix epoch by the viewer's clock, but for Captured; 0 = it did not get so
// far.
type ShownFrame struct {
	Captured int64 `json:"captured"` // as in SentFrame: by the sender's clock
	First    int64 `json:"first"`    // its first datagram or byte was there
	Complete int64 `json:"complete"`
	Decoded  int64 `json:"decoded"` // and its timecode read back
	Bytes    int   `json:"bytes"`   // of the JPEG

	Faults int64 `json:"minflt,omitempty"` // as in SentFrame
}

// AppendJSON appends the frame as a line of a trace. It does not allocate where b has room.
func (f SentFrame) AppendJSON(b []byte) []byte {
	b = member(b, `{"captured":`, f.Captured)
	b = member(b, `,"encoded":`, f.Encoded)
	b = member(b, `,"sent":`, f.Sent)
	return closed(b, f.Bytes, f.Faults)
}

// AppendJSON appends the frame as a line of a trace. It does not allocate where b has room.
func (f ShownFrame) AppendJSON(b []byte) []byte {
	b = member(b, `{"captured":`, f.Captured)
	b = member(b, `,"first":`, f.First)
	b = member(b, `,"complete":`, f.Complete)
	b = member(b, `,"decoded":`, f.Decoded)
	return closed(b, f.Bytes, f.Faults)
}

func member(b []byte, name string, v int64) []byte {
	return strconv.AppendInt(append(b, name...), v, 10)
}

func closed(b []byte, bytes int, faults int64) []byte {
	b = member(b, `,"bytes":`, int64(bytes))
	if faults != 0 {
		b = member(b, `,"minflt":`, faults)
	}
	return append(b, "}\n"...)
}

// Bounds of a trace: 4 Mi frames are 39 hours at 30 fps, and no honest line has more
// than six numbers of 16 digits.
const (
	maxFrames = 4 << 20
	maxLine   = 1 << 10 // bytes
	maxTime   = 1 << 52 // µs: the year 2112
)

// ErrTrace is matched by what the readers of traces return when the file is none.
var ErrTrace = errors.New("bench: not a trace")

// ReadSent reads a sender's trace. A last line that was cut short, by a process that
// died, is left out.
func ReadSent(r io.Reader) ([]SentFrame, error) {
	return readTrace(r, func(f *SentFrame) []int64 { return []int64{f.Captured, f.Encoded, f.Sent, int64(f.Bytes), f.Faults} })
}

// ReadShown reads a viewer's trace. A last line that was cut short, by a process that
// died, is left out.
func ReadShown(r io.Reader) ([]ShownFrame, error) {
	return readTrace(r, func(f *ShownFrame) []int64 {
		return []int64{f.Captured, f.First, f.Complete, f.Decoded, int64(f.Bytes), f.Faults}
	})
}

// readTrace reads lines into frames. numbers gives a frame's fields, Captured first.
func readTrace[F SentFrame | ShownFrame](r io.Reader, numbers func(*F) []int64) ([]F, error) {
	var frames []F
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return frames, nil // with or without a cut line
		case errors.Is(err, bufio.ErrBufferFull):
			return frames, fmt.Errorf("%w: line %d is longer than %d bytes", ErrTrace, n, maxLine)
		case err != nil:
			return frames, fmt.Errorf("bench: reading a trace, line %d: %w", n, err)
		case len(frames) == maxFrames:
			return frames, fmt.Errorf("%w: more than %d frames", ErrTrace, maxFrames)
		}
		var f F
		if err := json.Unmarshal(line, &f); err != nil {
			return frames, fmt.Errorf("%w: line %d: %w", ErrTrace, n, err)
		}
		all := numbers(&f)
		if all[0] == 0 {
			return frames, fmt.Errorf("%w: line %d has no captured", ErrTrace, n)
		}
		for _, v := range all {
			if v < 0 || v > maxTime {
				return frames, fmt.Errorf("%w: line %d: %d is out of range, want 0..%d", ErrTrace, n, v, int64(maxTime))
			}
		}
		frames = append(frames, f)
	}
}
