package codec

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"os/exec"
	"runtime"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

var slicedSizes = []image.Point{{1, 1}, {9, 16}, {9, 17}, {33, 31}, {97, 61}, {50, 200}, {161, 121}, {16, 1000}}

// TestSlicesChangeNoPixel encodes every kind of picture whole and in strips, and
// compares what each decodes to, planes and all, with two decoders.
func TestSlicesChangeNoPixel(t *testing.T) {
	whole := newEncoder(t, EncoderConfig{})
	for _, n := range []int{2, 5, MaxSlices, AutoSlices} {
		e := newEncoder(t, EncoderConfig{Slices: n})
		for _, size := range slicedSizes {
			for kind, in := range inputs(size) {
				want, got := encode(t, whole, in), encode(t, e, in)
				high := stripHeight(size, n)
				if high >= size.Y {
					if !bytes.Equal(got, want) {
						t.Errorf("%d of %s %s: one strip, and yet other bytes", n, name(size), kind)
					}
					continue
				}
				if !bytes.Equal(planes(t, got), planes(t, want)) {
					t.Errorf("%d of %s %s: the pixels differ", n, name(size), kind)
				}
				if !bytes.Equal(goPlanes(t, got), goPlanes(t, want)) {
					t.Errorf("%d of %s %s: for image/jpeg the pixels differ", n, name(size), kind)
				}
				checkLayout(t, got, size, high)
			}
		}
	}
}

func inputs(size image.Point) map[string]image.Image {
	rgba := photo(size.X, size.Y)
	all := map[string]image.Image{"RGBA": rgba, "BGR": toBGR(rgba), "gray": toGray(rgba)}
	for _, r := range ratios {
		all[r.String()] = toYCbCr(rgba, r)
	}
	return all
}

// planes decodes a JPEG as a whole.
func planes(t testing.TB, jpeg []byte) []byte {
	t.Helper()
	h, err := ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	m := ReuseYCbCr(nil, h.Width, h.Height, h.Ratio)
	d := newDecoder(t)
	if err := d.native.whole(&target{planar: m}, jpeg, h); err != nil {
		t.Fatal(err)
	}
	if h.Gray {
		neutral(m)
	}
	return join(m.Y, m.Cb, m.Cr)
}

// goPlanes is planes by image/jpeg.
func goPlanes(t testing.TB, data []byte) []byte {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := m.(*image.YCbCr); ok {
		return join(m.Y, m.Cb, m.Cr)
	}
	return m.(*image.Gray).Pix
}

func checkLayout(t *testing.T, jpeg []byte, size image.Point, high int) {
	t.Helper()
	var s Strips
	if err := s.Find(jpeg); err != nil {
		t.Fatal(err)
	}
	if want := ceil(size.Y, high); s.Len() != want || s.Lost() != 0 {
		t.Errorf("%d strips, %d lost; want %d", s.Len(), s.Lost(), want)
	}
	var all []byte
	for i := range s.Len() {
		if from, to := s.Rows(i); from != i*high || to != min(from+high, size.Y) || !s.Whole(i) {
			t.Errorf("strip %d: rows %d to %d of %d, %v", i, from, to, high, s.Whole(i))
		}
		all = append(all, s.Piece(i)...)
	}
	if !bytes.Equal(all, jpeg) {
		t.Error("the pieces do not make up the JPEG")
	}
	if !bytes.HasPrefix(jpeg, s.Head()) {
		t.Error("the head is not the JPEG's")
	}
}

// TestSlicesInOtherPrograms has other decoders read strips without a complaint, and compares
// what each gives for them and for the picture as a whole.
func TestSlicesInOtherPrograms(t *testing.T) {
	for program, args := range map[string][]string{
		"ffmpeg": {"-v", "warning", "-xerror", "-err_detect", "crccheck+bitstream+buffer+explode", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-"},
		"djpeg":  {"-strict"}, // libjpeg-turbo's: a warning is an error
	} {
		path := testutil.Need(t, program)
		decode := func(jpeg []byte) []byte {
			cmd := exec.Command(path, args...)
			var complaints bytes.Buffer
			cmd.Stdin, cmd.Stderr = bytes.NewReader(jpeg), &complaints
			out, err := cmd.Output()
			if err != nil || complaints.Len() > 0 || len(out) == 0 {
				t.Errorf("%s: %d bytes, %v: %s", program, len(out), err, &complaints)
			}
			return out
		}
		for _, size := range []image.Point{{321, 241}, {16, 1000}} {
			for _, sub := range writable(t) {
				in := toBGR(photo(size.X, size.Y))
				whole := decode(encode(t, newEncoder(t, EncoderConfig{Subsampling: sub}), in))
				for _, n := range []int{2, MaxSlices} {
					if got := decode(encode(t, newEncoder(t, EncoderConfig{Subsampling: sub, Slices: n}), in)); !bytes.Equal(got, whole) {
						t.Errorf("%s: %s of subsampling %d in %d: the pixels differ", program, name(size), sub, n)
					}
				}
			}
		}
	}
}

// writable are the subsamplings of packed pixels that this build writes.
func writable(t *testing.T) (all []Subsampling) {
	for _, sub := range []Subsampling{Sub420, Sub422, Sub444, SubGray} {
		e, err := NewEncoder(EncoderConfig{Subsampling: sub})
		if pure && errors.Is(err, ErrUnsupported) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
		all = append(all, sub)
	}
	return all
}

// TestSlicesOfSubsampling is for all that a build writes of packed pixels.
func TestSlicesOfSubsampling(t *testing.T) {
	in := toBGR(photo(100, 90))
	for _, sub := range writable(t) {
		got := encode(t, newEncoder(t, EncoderConfig{Subsampling: sub, Slices: 4}), in)
		if !bytes.Equal(planes(t, got), planes(t, encode(t, newEncoder(t, EncoderConfig{Subsampling: sub}), in))) {
			t.Errorf("%d: the pixels differ", sub)
		}
		checkLayout(t, got, in.Rect.Size(), 32)
	}
}

// TestSlicesCostLittle: 8 strips of 720p add less than 1 % to its size.
func TestSlicesCostLittle(t *testing.T) {
	in := photo(1280, 720)
	whole, sliced := len(encode(t, newEncoder(t, EncoderConfig{}), in)), len(encode(t, newEncoder(t, EncoderConfig{Slices: 8}), in))
	if 100*sliced > 101*whole {
		t.Errorf("%d bytes in strips, %d whole", sliced, whole)
	}
}

// TestSlicesFitRestartIntervals: DRI has 16 bits, whatever is asked for.
func TestSlicesFitRestartIntervals(t *testing.T) {
	in := image.NewGray(image.Rect(0, 0, 8000, 1100))
	for i := range in.Pix {
		in.Pix[i] = byte(i >> 6)
	}
	got := encode(t, newEncoder(t, EncoderConfig{Slices: 2}), in)
	h, err := ParseHeader(got)
	if err != nil || h.RestartInterval != 64000 {
		t.Errorf("interval of %d, %v; 64 rows of 1000 are the most that fit", h.RestartInterval, err)
	}
	checkLayout(t, got, in.Rect.Size(), 512)
	if !bytes.Equal(planes(t, got), planes(t, encode(t, newEncoder(t, EncoderConfig{}), in))) {
		t.Error("the pixels differ")
	}
}

func TestStripHeight(t *testing.T) {
	for _, c := range []struct{ w, h, n, want int }{
		{1920, 1080, 1, 1088}, {1920, 1080, 2, 544}, {1920, 1080, 4, 272}, {1920, 1080, 8, 144}, {1920, 1080, 64, 32},
		{1280, 720, 4, 192}, {16, 15, 4, 16}, {16, 17, 64, 16}, {65500, 1000, 1, 1008}, {65500, 1000, 2, 64},
		{640, 100, AutoSlices, 112}, {65500, 16, 64, 16},
	} {
		if got := stripHeight(image.Pt(c.w, c.h), c.n); got != c.want {
			t.Errorf("%dx%d in %d: %d rows, want %d", c.w, c.h, c.n, got, c.want)
		}
	}
	for procs, want := range map[int]int{1: 4, 2: 4, 3: 6, 4: 8, 64: 8} {
		before := runtime.GOMAXPROCS(procs)
		if n := ceil(1080, stripHeight(image.Pt(1920, 1080), AutoSlices)); n != want {
			t.Errorf("1080p on %d cores: %d strips, want %d", procs, n, want)
		}
		runtime.GOMAXPROCS(before)
	}
}

func TestSlicesRefused(t *testing.T) {
	for _, n := range []int{-2, MaxSlices + 1} {
		if _, err := NewEncoder(EncoderConfig{Slices: n}); err == nil {
			t.Errorf("Slices %d was taken", n)
		}
	}
}

// TestSlicesClose: encoding and decoding strips starts goroutines, and Close ends
// them; afterwards both say so.
func TestSlicesClose(t *testing.T) {
	before := runtime.NumGoroutine()
	in := photo(64, 80)
	for range 10 {
		e, err := NewEncoder(EncoderConfig{Slices: 5})
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		d.parallel.crew, d.parallel.least, e.slicer.crew = newCrew(3), 1, newCrew(3)
		data, out := encode(t, e, in), ReuseBGR(nil, 64, 80)
		if err := d.DecodeBGR(out, data); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := errors.Join(e.Close(), d.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Append(nil, in); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := d.DecodeBGR(out, data); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	noneLeft(t, before)
}

// TestSlicesAppend: what stood in dst stays, with room in it or without, and of a
// size that changes nothing is left behind.
func TestSlicesAppend(t *testing.T) {
	e := newEncoder(t, EncoderConfig{Slices: 3})
	for _, room := range []int{0, 1 << 20} {
		for _, size := range []image.Point{{200, 150}, {70, 300}, {33, 40}} {
			in := photo(size.X, size.Y)
			dst := append(make([]byte, 0, 4+room), "kept"...)
			out, err := e.Append(dst, in)
			if err != nil || !bytes.HasPrefix(out, []byte("kept\xFF\xD8")) {
				t.Fatalf("%v: %d bytes, %v", size, len(out), err)
			}
			if !bytes.Equal(out[4:], encode(t, newEncoder(t, EncoderConfig{Slices: 3}), in)) {
				t.Errorf("%v: other bytes than a new encoder's", size)
			}
		}
	}
	bad := image.NewYCbCr(image.Rect(0, 0, 64, 64), image.YCbCrSubsampleRatio410)
	if out, err := e.Append([]byte("kept"), bad); !pure && (!errors.Is(err, ErrUnsupported) || string(out) != "kept") {
		t.Errorf("%q, %v", out, err)
	}
}

// TestSlicesAreShownAsTheyCome: what AppendEach shows grows by whole pieces, stays as it
// was shown, and is all of it at last.
func TestSlicesAreShownAsTheyCome(t *testing.T) {
	in := photo(320, 240)
	for _, n := range []int{1, 2, 6, 15} {
		e := newEncoder(t, EncoderConfig{Slices: n})
		if n > 1 {
			e.slicer.crew = newCrew(2)
		}
		want := encode(t, e, in)
		ends := map[int]bool{}
		at := 0
		for s, i := find(t, want), 0; i < s.Len(); i++ {
			at += len(s.Piece(i))
			ends[at] = true
		}
		var out []byte
		for range 20 {
			last := 0
			var err error
			out, err = e.AppendEach(append(out[:0], "kept"...), in, func(jpeg []byte) {
				if n := len(jpeg) - 4; n <= last || !ends[n] || !bytes.Equal(jpeg[4:], want[:n]) {
					t.Errorf("%d bytes shown after %d, or others than in the end", n, last)
				}
				last = len(jpeg) - 4
			})
			if err != nil || last != len(want) || !bytes.Equal(out[4:], want) {
				t.Fatalf("%d strips: %d of %d bytes shown, %v", n, last, len(want), err)
			}
		}
	}
}
