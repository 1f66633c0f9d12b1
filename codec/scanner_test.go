package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"
)

// chunks reads data in pieces of at most size bytes, or of random sizes if it is 0.
func chunks(data []byte, size int) io.Reader {
	return &chunkReader{data, size, rand.New(rand.NewPCG(3, uint64(size)))}
}

type chunkReader struct {
	data []byte
	size int
	rnd  *rand.Rand
}

func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	size := r.size
	if size == 0 {
		size = 1 + r.rnd.IntN(len(r.data))>>r.rnd.IntN(12)
	}
	n := copy(p[:min(size, len(p))], r.data)
	r.data = r.data[n:]
	return n, nil
}

// scanAll returns the pictures up to the first error.
func scanAll(r io.Reader, maxFrame int) (pictures [][]byte, stats ScannerStats, err error) {
	s := NewScanner(r, maxFrame)
	for {
		var p []byte
		if p, err = s.Next(nil); err != nil {
			return pictures, s.Stats(), err
		}
		pictures = append(pictures, p)
	}
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func TestScanner(t *testing.T) {
	e := newEncoder(t, EncoderConfig{})
	a, b := encode(t, e, photo(64, 48)), encode(t, e, photo(40, 80))
	tiny := blocks{size: image.Pt(8, 8), factors: []byte{0x11}}.jpeg()
	restarts := blocks{size: image.Pt(200, 100), factors: []byte{0x22, 0x11, 0x11}, restart: 3}.jpeg()
	scans := blocks{size: image.Pt(40, 30), factors: []byte{0x22, 0x11, 0x11}, scans: [][]int{{0}, {1}, {2}}}.jpeg()
	thumbnail := blocks{size: image.Pt(64, 48), factors: []byte{0x11}, before: [][]byte{segment(mAPP0+1, join([]byte("Exif\x00\x00"), tiny)...)}}.jpeg()
	filled := join(a[:2], bytes.Repeat([]byte{0xFF}, 300), a[2:len(a)-2], []byte{0xFF, 0xFF, 0xFF, mEOI})
	progressive := readTestdata(t, "progressive.jpg")
	head := bytes.Index(a, []byte{0xFF, mSOS})
	inTables := bytes.Index(a, []byte{0xFF, mDQT}) + 20
	noScan := join(tiny[:bytes.Index(tiny, []byte{0xFF, mSOS})], []byte{0xFF, mEOI})
	lying := []byte{0xFF, mSOI, 0xFF, mCOM, 0, 100}

	for _, c := range []struct {
		name   string
		stream []byte
		want   [][]byte
		broken int64
		cut    bool // ends within a picture
	}{
		{name: "nothing"},
		{name: "one", stream: a, want: [][]byte{a}},
		{name: "several", stream: join(a, b, a, tiny, restarts, scans, progressive), want: [][]byte{a, b, a, tiny, restarts, scans, progressive}},
		{name: "garbage between", stream: join([]byte("--boundary\r\n\r\n"), a, []byte{0xFF}, b, []byte{0xFF, mSOI, 0}, tiny, []byte{0, 0xFF}), want: [][]byte{a, b, tiny}},
		{name: "only garbage", stream: bytes.Repeat([]byte{0xFF, 0, mSOI}, 1000)},
		{name: "padding", stream: join(a, make([]byte, 512), b, make([]byte, 512)), want: [][]byte{a, b}},
		{name: "thumbnail", stream: join(thumbnail, thumbnail), want: [][]byte{thumbnail, thumbnail}},
		{name: "fill bytes", stream: join(filled, filled), want: [][]byte{filled, filled}},
		{name: "two SOI", stream: join(a[:2], b), want: [][]byte{b}, broken: 1},
		{name: "cut in the scan", stream: join(a[:len(a)-40], b, a), want: [][]byte{b, a}, broken: 1},
		{name: "cut behind a marker's FF", stream: join(a[:len(a)-1], b), want: [][]byte{b}, broken: 1},
		{name: "cut behind the header", stream: join(a[:head], b, a), want: [][]byte{b, a}, broken: 1},
		{name: "cut in a segment", stream: join(a[:inTables], b, a), want: [][]byte{b, a}, broken: 1},
		{name: "many cut", stream: join(bytes.Repeat(a[:len(a)/2], 50), b), want: [][]byte{b}, broken: 50},
		{name: "a lying length", stream: join(lying, tiny, a, b), want: [][]byte{tiny, a, b}, broken: 1},
		{name: "no scan", stream: join(noScan, a), want: [][]byte{a}, broken: 1},
		{name: "a reserved marker", stream: join(a[:len(a)-30], []byte{0xFF, 0x02}, a[len(a)-30:], b), want: [][]byte{b}, broken: 1},
		{name: "cut at the end", stream: join(a, b[:len(b)-1]), want: [][]byte{a}, broken: 1, cut: true},
		{name: "cut in the last header", stream: join(a, b[:inTables]), want: [][]byte{a}, broken: 1, cut: true},
	} {
		for _, size := range []int{0, 1, 2, 3, 61, 1 << 20} {
			got, stats, err := scanAll(chunks(c.stream, size), 0)
			want := ScannerStats{Skipped: int64(len(c.stream) - len(join(c.want...))), Broken: c.broken}
			if !slices.EqualFunc(got, c.want, bytes.Equal) || stats != want {
				t.Errorf("%s, by %d: %d pictures, %+v; want %d, %+v", c.name, size, len(got), stats, len(c.want), want)
			}
			if c.cut != errors.Is(err, io.ErrUnexpectedEOF) || !c.cut && err != io.EOF {
				t.Errorf("%s, by %d: %v", c.name, size, err)
			}
		}
	}
}

// TestScannerDoesNotWait: a picture comes out while the writer holds its next byte
// back. (If it did not, the test would hang.)
func TestScannerDoesNotWait(t *testing.T) {
	a := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	r, w := io.Pipe()
	defer r.Close()
	s := NewScanner(r, 0)
	for i := range 3 {
		go w.Write(a)
		if got, err := s.Next(nil); err != nil || !bytes.Equal(got, a) {
			t.Fatalf("picture %d: %d bytes, %v", i, len(got), err)
		}
	}
}

func TestScannerAppends(t *testing.T) {
	a := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	s := NewScanner(bytes.NewReader(join(a, a[:9])), 0)
	got, err := s.Next([]byte("before"))
	if err != nil || !bytes.Equal(got, join([]byte("before"), a)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if got, err = s.Next(got[:6]); !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
	for range 2 {
		if got, err = s.Next(got); err != io.EOF || string(got) != "before" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestScannerTooLarge(t *testing.T) {
	e := newEncoder(t, EncoderConfig{})
	small, large := encode(t, e, photo(64, 48)), encode(t, e, photo(640, 480))
	comment := segment(mCOM, make([]byte, 50000)...)
	longHead := blocks{size: image.Pt(8, 8), factors: []byte{0x11}, before: [][]byte{comment, comment, comment}}.jpeg()
	inside := blocks{size: image.Pt(800, 800), factors: []byte{0x11}, before: [][]byte{segment(mAPP0+1, small...)}}.jpeg()
	limit := max(len(small), 6000)
	if len(large) <= limit || len(inside) <= limit {
		t.Fatalf("%d, %d, %d bytes", len(small), len(large), len(inside))
	}
	stream := join(small, large, longHead, inside, small, large[:len(large)-9], small, large[:limit+1])
	for _, size := range []int{0, 1, 7, 1 << 20} {
		got, stats, err := scanAll(chunks(stream, size), limit)
		want := ScannerStats{Skipped: int64(len(stream) - 3*len(small)), TooLarge: 5}
		if len(got) != 3 || stats != want || err != io.EOF {
			t.Errorf("by %d: %d pictures, %+v, %v; want 3, %+v", size, len(got), stats, err, want)
		}
	}
	if got, stats, _ := scanAll(bytes.NewReader(small), len(small)); len(got) != 1 || stats.TooLarge != 0 {
		t.Errorf("exactly the limit: %d pictures, %+v", len(got), stats)
	}
	if got, stats, _ := scanAll(bytes.NewReader(small), len(small)-1); len(got) != 0 || stats.TooLarge != 1 {
		t.Errorf("one byte over the limit: %d pictures, %+v", len(got), stats)
	}
}

// TestScannerMemory reads what never ends, and looks at the buffer.
func TestScannerMemory(t *testing.T) {
	const limit = 300 << 10
	tiny := blocks{size: image.Pt(8, 8), factors: []byte{0x11}}.jpeg()
	open := tiny[:len(tiny)-2]
	for name, stream := range map[string][]byte{
		"a scan":   join(open, make([]byte, 2<<20)),
		"garbage":  make([]byte, 2<<20),
		"segments": join(tiny[:2], bytes.Repeat(segment(mCOM, make([]byte, 60000)...), 30)),
		"fill":     join(tiny[:2], bytes.Repeat([]byte{0xFF}, 2<<20)),
		"starts":   bytes.Repeat([]byte{0xFF, mSOI, 0xFF, mCOM, 0xFF, 0xFF}, 1<<18),
	} {
		s := NewScanner(&watched{bytes.NewReader(stream), nil}, limit)
		s.r.(*watched).look = func() {
			if cap(s.buf) > limit+2*readSize {
				t.Fatalf("%s: %d bytes held", name, cap(s.buf))
			}
		}
		if _, err := s.Next(nil); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type watched struct {
	io.Reader
	look func()
}

func (w *watched) Read(p []byte) (int, error) { w.look(); return w.Reader.Read(p) }

func TestScannerErrors(t *testing.T) {
	a := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	boom := errors.New("boom")
	for _, r := range []io.Reader{
		io.MultiReader(bytes.NewReader(a), iotest.ErrReader(boom)),
		io.MultiReader(bytes.NewReader(join(a, a[:100])), iotest.ErrReader(boom)),
	} {
		if got, _, err := scanAll(r, 0); len(got) != 1 || err != boom {
			t.Errorf("%d pictures, %v", len(got), err)
		}
	}
	if got, _, err := scanAll(iotest.DataErrReader(bytes.NewReader(a)), 0); len(got) != 1 || err != io.EOF {
		t.Errorf("data with EOF: %d pictures, %v", len(got), err)
	}
	if _, _, err := scanAll(nothing{}, 0); err != io.ErrNoProgress {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// FuzzScanner: what comes out does not depend on how the stream is cut into reads,
// every byte is delivered or skipped, and every picture begins and ends as one.
func FuzzScanner(f *testing.F) {
	tiny := blocks{size: image.Pt(8, 8), factors: []byte{0x11}}.jpeg()
	thumbnail := blocks{size: image.Pt(20, 9), factors: []byte{0x22, 0x11, 0x11}, restart: 1, before: [][]byte{segment(mAPP0, tiny...)}}.jpeg()
	f.Add(join(tiny, thumbnail), 1)
	f.Add(join(tiny[:40], tiny, []byte{0xFF, 0xFF, mSOI, 0xFF}, thumbnail[:90]), 7)
	f.Add(join(tiny[:30], []byte{0xFF, mEOI}, tiny[:len(tiny)-3], thumbnail), 0)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		const limit = 600
		size = min(max(size, 0), 1<<16)
		whole, stats, err := scanAll(bytes.NewReader(data), limit)
		parts, stats2, err2 := scanAll(chunks(data, size), limit)
		if !slices.EqualFunc(whole, parts, bytes.Equal) || stats != stats2 || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("at once: %d pictures, %+v, %v; by %d: %d, %+v, %v", len(whole), stats, err, size, len(parts), stats2, err2)
		}
		total := stats.Skipped
		for _, p := range whole {
			total += int64(len(p))
			if len(p) > limit || !bytes.HasPrefix(p, startOfPicture) || !bytes.HasSuffix(p, []byte{0xFF, mEOI}) {
				t.Fatalf("% x", p)
			}
		}
		if total != int64(len(data)) {
			t.Fatalf("%d bytes of %d accounted for", total, len(data))
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	a := encode(b, newEncoder(b, EncoderConfig{}), photo(1280, 720))
	s := NewScanner(&endless{data: a}, 0)
	var out []byte
	b.SetBytes(int64(len(a)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = s.Next(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

type endless struct {
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.data[e.at:])
	e.at = (e.at + n) % len(e.data)
	return n, nil
}
