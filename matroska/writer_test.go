package matroska

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// memory is a File, which takes no more than room bytes if that is over 0.
type memory struct {
	b      []byte
	room   int
	writes int
}

var errFull = errors.New("no space left")

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	m.writes++
	for i, c := range p {
		switch pos := int(at) + i; {
		case m.room > 0 && pos >= m.room:
			return i, errFull
		case pos < len(m.b):
			m.b[pos] = c
		default:
			m.b = append(m.b, c)
		}
	}
	return len(p), nil
}

func (m *memory) Truncate(n int64) error {
	m.b = m.b[:n]
	return nil
}

var testHeader = Header{Width: 64, Height: 48, Date: time.Date(2026, 5, 4, 3, 2, 1, 123456789, time.UTC), Software: "framegram test"}

// frame is what a reader gives.
type frame struct {
	at   time.Duration
	jpeg string
}

func write(t testing.TB, w *Writer, frames ...frame) {
	t.Helper()
	for _, f := range frames {
		if err := w.Write(f.at, []byte(f.jpeg)); err != nil {
			t.Fatal(err)
		}
	}
}

// readAll returns the frames before the error, and the error; nil at the end.
func readAll(b []byte, limit int) (got []frame, info Info, err error) {
	r, err := NewReader(bytes.NewReader(b), limit)
	if err != nil {
		return nil, Info{}, err
	}
	for {
		jpeg, at, err := r.Next([]byte("kept"))
		if err == io.EOF {
			return got, r.Info(), nil
		}
		if err != nil {
			return got, r.Info(), err
		}
		got = append(got, frame{at, strings.TrimPrefix(string(jpeg), "kept")})
	}
}

func wantFrames(t testing.TB, got, want []frame) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

var someFrames = []frame{{0, "one"}, {33333 * time.Microsecond, "two"}, {66666 * time.Microsecond, "three"}, {2 * time.Hour, "four"}}

// The bytes of a whole file, by hand from RFC 8794 and RFC 9559.
func TestFileBytes(t *testing.T) {
	var f memory
	w := NewWriter(&f, Header{Width: 320, Height: 240, Date: dateZero.Add(time.Second), Software: "x"})
	write(t, w, frame{0, "JPEG"}, frame{time.Second, "J2"})
	open := "1a45dfa3 a3 4286 81 01 42f7 81 01 42f2 81 04 42f3 81 08 4282 88 6d6174726f736b61 4287 81 04 4285 81 02" +
		"18538067 01ffffffffffffff" + // Segment of unknown size
		"ec c2" + strings.Repeat("00", 66) + // for the SeekHead
		"1549a966 a4 2ad7b1 82 03e8 4d80 81 78 5741 81 78 4461 88 000000003b9aca00 ec 89" + strings.Repeat("00", 9) +
		"1654ae6b b0 ae ae d7 81 01 73c5 84 3b9aca01 83 81 01 9c 81 00 86 87 565f4d4a504547 e0 87 b0 82 0140 ba 81 f0 ec 8a" + strings.Repeat("00", 10) +
		"1f43b675 8d e7 81 00 a3 88 81 0000 80 4a504547" +
		"1f43b675 8d e7 83 0f4240 a3 86 81 0000 80 4a32"
	if got, want := fmt.Sprintf("%x", f.b), strings.ReplaceAll(open, " ", ""); got != want {
		t.Fatalf("while it is written:\n%s, want\n%s", got, want)
	}
	if f.writes != 2 {
		t.Errorf("%d writes for 2 frames: a frame must reach the file at once", f.writes)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, info, err := readAll(f.b, 100)
	if err != nil || len(got) != 2 || info.Duration != 2*time.Second || info.Interval != time.Second {
		t.Errorf("closed: got %v, %+v, %v", got, info, err)
	}
}

// The SeekHead and the Cues that Close writes point at what they name.
func TestIndexPointsAtClusters(t *testing.T) {
	var f memory
	w := NewWriter(&f, testHeader)
	for i := range 100 {
		write(t, w, frame{time.Duration(i) * 300 * time.Millisecond, fmt.Sprint("frame", i)})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if int64(len(f.b)) != w.Size() {
		t.Errorf("Size is %d, the file has %d", w.Size(), len(f.b))
	}
	segment := bytes.Index(f.b, []byte("\x18\x53\x80\x67")) + 12
	if size, _ := parseSize(f.b[segment-8:]); int(size) != len(f.b)-segment {
		t.Errorf("the Segment says %d bytes, it has %d", size, len(f.b)-segment)
	}
	at := func(pos uint64) (id uint32) {
		id, _ = parseID(f.b[segment+int(pos):])
		return id
	}
	seeks, cues := 0, 0
	err := children(f.b[segment:], func(e element) error {
		return children(e.content, func(sub element) error {
			switch e.id {
			case idSeekHead:
				seeks++
				var id uint32
				return children(sub.content, func(s element) error {
					v, _ := s.uint()
					if s.id == idSeekID {
						id = uint32(v)
					} else if got := at(v); got != id {
						t.Errorf("the SeekHead leads to %X, want %X", got, id)
					}
					return nil
				})
			case idCues:
				var when uint64
				return children(sub.content, func(c element) error {
					if c.id == idCueTime {
						when, _ = c.uint()
						if want := uint64(cues) * 1_200_000; when != want {
							t.Errorf("cue %d is at %d µs, want %d: one a second at most", cues, when, want)
						}
						cues++
						return nil
					}
					return children(c.content, func(p element) error {
						if v, _ := p.uint(); p.id == idCuePosition {
							body := f.b[segment+int(v):]
							want := appendUint(nil, idTimestamp, when)
							if at(v) != idCluster || !bytes.Contains(body[:20], want) {
								t.Errorf("cue %d leads to %x", cues, body[:20])
							}
						}
						return nil
					})
				})
			}
			return nil
		})
	})
	if err != nil || seeks != 3 || cues != 25 {
		t.Errorf("%v, %d seeks, %d cues, want 3 and 25", err, seeks, cues)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, closed := range []bool{false, true} {
		var f memory
		w := NewWriter(&f, testHeader)
		write(t, w, someFrames...)
		want := Info{Width: 64, Height: 48, Date: testHeader.Date, Software: testHeader.Software}
		if closed {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			want.Duration = 2*(2*time.Hour) - 66666*time.Microsecond // the last frame stands as long as the one before
			want.Interval = 33333 * time.Microsecond
		}
		got, info, err := readAll(f.b, 1<<20)
		if err != nil {
			t.Error(err)
		}
		wantFrames(t, got, someFrames)
		if info != want {
			t.Errorf("closed=%v: got %+v, want %+v", closed, info, want)
		}
	}
}

// Times ascend whatever is asked for.
func TestTimesAscend(t *testing.T) {
	var f memory
	w := NewWriter(&f, testHeader)
	var want []frame
	for i, at := range []time.Duration{-5, 0, 0, 500, 2 * time.Microsecond, -time.Hour, time.Second, math.MaxInt64} {
		write(t, w, frame{at, fmt.Sprint(i)})
	}
	for i, us := range []int64{0, 1, 2, 3, 4, 5, 1e6, math.MaxInt64 / 1000} {
		want = append(want, frame{time.Duration(us) * time.Microsecond, fmt.Sprint(i)})
	}
	got, _, err := readAll(f.b, 100)
	if err != nil {
		t.Error(err)
	}
	wantFrames(t, got, want)
}

// The rate is there once a second of video is, and is that of most frames.
func TestRateOfAnOpenFile(t *testing.T) {
	var f memory
	w := NewWriter(&f, testHeader)
	at := time.Duration(0)
	for i := range 40 {
		write(t, w, frame{at, "x"})
		at += 40 * time.Millisecond
		if i%10 == 0 {
			at += time.Minute // a gap now and then
		}
	}
	if _, info, err := readAll(f.b, 100); err != nil || info.Interval != 40*time.Millisecond {
		t.Errorf("got an interval of %v, %v, want 40ms", info.Interval, err)
	}
}

// Wherever the file is full, what fitted is a whole file.
func TestFullFile(t *testing.T) {
	var whole memory
	w := NewWriter(&whole, testHeader)
	write(t, w, someFrames...)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for room := 1; room < len(whole.b); room++ {
		f := memory{room: room}
		w := NewWriter(&f, testHeader)
		n := 0
		var err error
		for _, s := range someFrames {
			if err = w.Write(s.at, []byte(s.jpeg)); err != nil {
				break
			}
			n++
		}
		closed := w.Close()
		if err == nil && !errors.Is(closed, errFull) {
			t.Errorf("room for %d bytes: got %v, %v", room, err, closed)
		}
		if n == 0 {
			if len(f.b) != 0 || closed != nil {
				t.Errorf("room for %d bytes: %d bytes are left, %v", room, len(f.b), closed)
			}
			continue
		}
		got, info, err := readAll(f.b, 100)
		if err != nil || info.Duration == 0 && n > 1 {
			t.Errorf("room for %d bytes: %v, %+v", room, err, info)
		}
		wantFrames(t, got, someFrames[:n])
	}
}

func TestFrameWithoutBytes(t *testing.T) {
	var f memory
	w := NewWriter(&f, testHeader)
	if err := w.Write(0, nil); err == nil || len(f.b) != 0 {
		t.Errorf("got %v, and %d bytes", err, len(f.b))
	}
	if err := w.Close(); err != nil || len(f.b) != 0 {
		t.Errorf("a file without a frame: got %v, and %d bytes", err, len(f.b))
	}
}

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Truncate(int64) error                   { return nil }

func TestWriteAllocatesNothing(t *testing.T) {
	w, jpeg := NewWriter(nowhere{}, testHeader), make([]byte, 120_000)
	at := time.Duration(0)
	n := testing.AllocsPerRun(1000, func() {
		at += time.Millisecond
		if err := w.Write(at, jpeg); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
