package matroska

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// el is an element as bytes.
func el[T []byte | string](id uint32, content ...T) []byte {
	var all []byte
	for _, c := range content {
		all = append(all, c...)
	}
	return appendBytes(nil, id, all)
}

func num(id uint32, v uint64) []byte { return appendUint(nil, id, v) }

// open is an element of unknown size.
func open(id uint32, content ...[]byte) []byte {
	return append(append(appendID(nil, id), 0xFF), bytes.Join(content, nil)...)
}

func simple(track byte, at int16, flags byte, content string) []byte {
	return el(idSimpleBlock, append([]byte{0x80 | track, byte(at >> 8), byte(at), flags}, content...))
}

func group(track byte, at int16, flags byte, content string) []byte {
	return el(idBlockGroup, el(idBlock, append([]byte{0x80 | track, byte(at >> 8), byte(at), flags}, content...)), num(0x9B, 40))
}

var (
	ebmlHead   = el(idEBML, num(idReadVersion, 1), el(idDocType, "matroska"))
	videoEntry = el(idTrackEntry, num(idTrackNumber, 2), num(idTrackType, 1), el(idCodecID, codecMJPEG), num(idDefaultDuration, 40e6))
	soundEntry = el(idTrackEntry, num(idTrackNumber, 1), num(idTrackType, 2), el(idCodecID, "A_OPUS"))
	tracks     = el(idTracks, soundEntry, videoEntry)
)

func file(parts ...[]byte) []byte {
	return slices.Concat(ebmlHead, el(idSegment, append([][]byte{tracks}, parts...)...))
}

func entry(parts ...[]byte) []byte {
	return el(idTracks, el(idTrackEntry, append([][]byte{num(idTrackNumber, 2), num(idTrackType, 1), el(idCodecID, codecMJPEG)}, parts...)...))
}

func encoding(parts ...[]byte) []byte { return el(idEncodings, el(idEncoding, parts...)) }

// What other programs write, in all its forms.
func TestFormsOfFiles(t *testing.T) {
	ms := func(n int, s string) frame { return frame{time.Duration(n) * time.Millisecond, s} }
	cluster := el(idCluster, num(idTimestamp, 1000), simple(2, 0, 0x80, "a"), simple(1, 0, 0x80, "sound"), simple(2, 40, 0x80, "b"))
	three := []frame{ms(1000, "a"), ms(1040, "b"), ms(1080, "c")}
	body := func(s string) []byte { return el(idCluster, num(idTimestamp, 1000), simple(2, 0, s[0], s[1:])) }
	for name, tt := range map[string]struct {
		file []byte
		want []frame
	}{
		"simple blocks":   {file(cluster), three[:2]},
		"block groups":    {file(el(idCluster, num(idTimestamp, 1000), group(2, 0, 0, "a"), group(1, 7, 0, "s"), group(2, 40, 0, "b"))), three[:2]},
		"negative times":  {file(el(idCluster, num(idTimestamp, 1000), simple(2, -1000, 0, "a"), simple(2, -1001, 0, "b"))), []frame{ms(0, "a"), ms(0, "b")}},
		"voids and CRCs":  {file(el(idVoid, "123"), el(idCluster, el(idCRC32, "1234"), el(idVoid, ""), num(idTimestamp, 1000), el(0xA7, "x"), simple(2, 0, 0, "a")), el(idVoid, "")), three[:1]},
		"unknown element": {file(el(0x5678, "??"), el(idCluster, num(idTimestamp, 1000), el(0x5678, "??"), simple(2, 0, 0, "a"))), three[:1]},
		"8-byte sizes":    {file(append(append(appendID(nil, idCluster), 1, 0, 0, 0, 0, 0, 0, 10), append(num(idTimestamp, 1000), simple(2, 0, 0, "")[:6]...)...)), nil},
		"no clusters":     {file(), nil},
		"all sizes unknown": {slices.Concat(ebmlHead, open(idSegment, tracks,
			open(idCluster, num(idTimestamp, 1000), simple(2, 0, 0, "a")),
			open(idCluster, num(idTimestamp, 1040), group(2, 0, 0, "b")),
			el(idCues, "index"), el(idTags, "tags"),
			open(idCluster, num(idTimestamp, 1080), simple(2, 0, 0, "c")))), three},
		"another file behind": {slices.Concat(ebmlHead, open(idSegment, tracks, open(idCluster, num(idTimestamp, 1000), simple(2, 0, 0, "a"))), file(cluster)), three[:1]},
		"xiph lacing":         {file(body("\x02\x02\x01\x01abc")), three},
		"xiph lacing, long":   {file(body("\x02\x01\xFF\x05" + strings.Repeat("a", 260) + "b")), []frame{ms(1000, strings.Repeat("a", 260)), ms(1040, "b")}},
		"fixed lacing":        {file(body("\x04\x02abc")), three},
		"EBML lacing":         {file(body("\x06\x02\x82\xBFaabbc")), []frame{ms(1000, "aa"), ms(1040, "bb"), ms(1080, "c")}},
		"EBML lacing, less":   {file(body("\x06\x02\x82\xBEaabc")), []frame{ms(1000, "aa"), ms(1040, "b"), ms(1080, "c")}},
		"one, laced":          {file(body("\x04\x00a")), three[:1]},
		"header stripping": {slices.Concat(ebmlHead, el(idSegment, entry(encoding(el(idCompression, num(idCompAlgo, 3), el(idCompSettings, "\xFF\xD8")))), cluster)),
			[]frame{ms(1000, "\xFF\xD8a"), ms(1040, "\xFF\xD8b")}},
		"other scale": {slices.Concat(ebmlHead, el(idSegment, el(idInfo, num(idTimestampScale, 100)), tracks, cluster)),
			[]frame{{100 * time.Microsecond, "a"}, {104 * time.Microsecond, "b"}}},
		"time beyond all": {slices.Concat(ebmlHead, el(idSegment, tracks, el(idCluster, num(idTimestamp, 1<<60), simple(2, 0, 0, "a")))), []frame{{1<<63 - 1, "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := readAll(tt.file, 1000)
			if err != nil && name != "8-byte sizes" {
				t.Error(err)
			}
			wantFrames(t, got, tt.want)
		})
	}
}

func TestRefused(t *testing.T) {
	head := func(parts ...[]byte) []byte { return slices.Concat(el(idEBML, parts...), el(idSegment, tracks)) }
	doc := el(idDocType, "matroska")
	with := func(tracks []byte) []byte { return slices.Concat(ebmlHead, el(idSegment, tracks)) }
	for name, tt := range map[string]struct {
		file []byte
		is   error  // that it matches, if not nil
		want string // part of the message
	}{
		"nothing":          {nil, ErrFormat, "does not begin"},
		"a JPEG":           {[]byte("\xFF\xD8\xFF\xE0"), ErrFormat, "does not begin"},
		"other EBML":       {head(el(idDocType, "odd")), ErrFormat, `type "odd"`},
		"long IDs":         {head(doc, num(idMaxIDLength, 5)), ErrFormat, "says 5 in element 42F2"},
		"long sizes":       {head(doc, num(idMaxSizeLength, 9)), ErrFormat, "says 9 in element 42F3"},
		"later EBML":       {head(doc, num(idReadVersion, 2)), ErrFormat, "says 2 in element 42F7"},
		"huge header":      {[]byte("\x1A\x45\xDF\xA3\x01\x00\x00\x00\xFF\xFF\xFF\xFF"), ErrFormat, "of 4294967295 bytes"},
		"huge tracks":      {with(append(appendID(nil, idTracks), 0x08, 0x7F, 0xFF, 0xFF, 0xFF)), ErrFormat, "longer than what it stands in"},
		"unknown tracks":   {slices.Concat(ebmlHead, open(idSegment, open(idTracks))), ErrFormat, ""},
		"no tracks":        {slices.Concat(ebmlHead, el(idSegment, el(idCluster, num(idTimestamp, 0)))), ErrFormat, "no Tracks"},
		"only its header":  {ebmlHead, io.ErrUnexpectedEOF, "ends after"},
		"sound only":       {with(el(idTracks, soundEntry)), nil, "no video track"},
		"H.264":            {with(el(idTracks, el(idTrackEntry, num(idTrackType, 1), el(idCodecID, "V_MPEG4/ISO/AVC\x00")), videoEntry)), nil, "is V_MPEG4/ISO/AVC, not V_MJPEG"},
		"zlib":             {with(entry(encoding(el(idCompression, num(idCompAlgo, 0))))), nil, "compressed by algorithm 0"},
		"encrypted":        {with(entry(encoding(num(idEncodingType, 1)))), nil, "encrypted"},
		"packed twice":     {with(entry(el(idEncodings, el(idEncoding, num(idEncodingScope, 2)), el(idEncoding, num(idEncodingScope, 2))))), nil, "more than once"},
		"scale of 0":       {with(el(idInfo, num(idTimestampScale, 0))), ErrFormat, "ticks of 0 ns"},
		"number too long":  {with(entry(el(idDefaultDuration, "123456789"))), ErrFormat, "a number of 9 bytes"},
		"child too long":   {with(el(idTracks, []byte("\xAE\x90"))), ErrFormat, "longer than what it stands in"},
		"track cut in two": {with(el(idTracks, []byte("\xAE"))), ErrFormat, "longer than what it stands in"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAll(tt.file, 1000)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	var codec *CodecError
	if _, _, err := readAll(with(el(idTracks, soundEntry)), 10); !errors.As(err, &codec) || codec.Codec != "" {
		t.Errorf("no video: got %v, want a CodecError", err)
	}
}

// A frame that cannot be used costs that frame only; damage ends the file, behind
// what was whole.
func TestDamage(t *testing.T) {
	in := func(parts ...[]byte) []byte {
		return file(el(idCluster, slices.Concat([][]byte{simple(2, 0, 0, "first")}, parts, [][]byte{simple(2, 40, 0, "last")})...))
	}
	for name, tt := range map[string]struct {
		part []byte
		is   error
		want string // frames
	}{
		"too large":          {simple(2, 10, 0, strings.Repeat("x", 101)), ErrFrame, "first last"},
		"empty":              {simple(2, 10, 0, ""), ErrFrame, "first last"},
		"lacing, short":      {simple(2, 10, 2, "\x03\x01"), ErrFrame, "first last"},
		"lacing, too long":   {simple(2, 10, 2, "\x01\x09abc"), ErrFrame, "first last"},
		"lacing, uneven":     {simple(2, 10, 4, "\x02abcd"), ErrFrame, "first last"},
		"lacing, negative":   {simple(2, 10, 6, "\x02\x81\x80abc"), ErrFrame, "first last"},
		"lacing, no size":    {simple(2, 10, 6, "\x02\x00"), ErrFrame, "first last"},
		"block of 3 bytes":   {el(idSimpleBlock, "\x82\x00\x00"), ErrFormat, "first"},
		"block of none":      {el(idSimpleBlock, ""), ErrFormat, "first"},
		"no element":         {[]byte{0, 0, 0, 0}, ErrFormat, "first"},
		"block over the end": {[]byte("\xA3\x40\xFF\x82"), ErrFormat, "first"},
		"block of no size":   {[]byte("\xA3\xFF\x82"), ErrFormat, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(in(tt.part)), 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var last error
			for range 10 {
				jpeg, _, err := r.Next(nil)
				switch {
				case err == nil:
					got = append(got, string(jpeg))
					continue
				case err != io.EOF:
					last = err
				}
				if !errors.Is(err, ErrFrame) {
					break
				}
			}
			if s := strings.Join(got, " "); s != tt.want || !errors.Is(last, tt.is) {
				t.Errorf("got %q, %v, want %q, %v", s, last, tt.want, tt.is)
			}
		})
	}
}

// Wherever a file ends, what was whole by then is there; that bytes are missing is
// said, except where a writer that was killed leaves nothing to tell it by.
func TestCutAnywhere(t *testing.T) {
	var f memory
	w := NewWriter(&f, testHeader)
	var ends []int
	for _, s := range someFrames {
		write(t, w, s)
		ends = append(ends, len(f.b))
	}
	for closed, whole := range map[bool][]byte{false: slices.Clone(f.b), true: nil} {
		if closed {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			whole = f.b
		}
		for cut := range whole {
			n := 0
			for n < len(ends) && ends[n] <= cut {
				n++
			}
			got, _, err := readAll(whole[:cut], 1000)
			wantFrames(t, got, someFrames[:n])
			clean := !closed && (slices.Contains(ends, cut) || cut == ends[0]-len(appendCluster(nil, 0, []byte("one"))))
			if cut < 4 {
				if !errors.Is(err, ErrFormat) {
					t.Errorf("cut at %d: got %v", cut, err)
				}
			} else if clean != (err == nil) || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("closed=%v, cut at %d of %d: got %v", closed, cut, len(whole), err)
			}
		}
	}
}

// What a file claims and does not have takes no memory.
func TestClaimedSizeTakesNoMemory(t *testing.T) {
	whole := slices.Concat(ebmlHead, open(idSegment, tracks, open(idCluster, []byte("\xA3\x01\x00\x00\x00\x3F\xFF\xFF\xFF\x82\x00\x00\x80")), make([]byte, 1000)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := readAll(whole, 1<<30); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated for a frame that says 1 GiB and has 1000 bytes", n)
	}
}

func FuzzReader(f *testing.F) {
	var m memory
	w := NewWriter(&m, testHeader)
	write(f, w, someFrames...)
	f.Add(slices.Clone(m.b))
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(m.b)
	f.Add(file(el(idCluster, num(idTimestamp, 1), group(2, 0, 2, "\x02\x01\x01abc"), simple(2, 0, 4, "\x02abc"), simple(2, 0, 6, "\x02\x81\xBFabc"))))
	f.Add(slices.Concat(ebmlHead, open(idSegment, entry(encoding(el(idCompression, num(idCompAlgo, 3), el(idCompSettings, "\xFF\xD8")))), open(idCluster, simple(2, 0, 0, "a")))))
	const limit = 1000
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), limit)
		if err != nil {
			return
		}
		total := 0
		for range 100_000 {
			jpeg, at, err := r.Next(nil)
			if err != nil && !errors.Is(err, ErrFrame) {
				if len(jpeg) > 0 {
					t.Errorf("a frame beside %v", err)
				}
				return
			}
			if err == nil && (len(jpeg) == 0 || len(jpeg) > limit || at < 0 && r.info.Interval == 0) {
				t.Errorf("a frame of %d bytes at %v", len(jpeg), at)
			}
			total++
		}
		t.Errorf("%d frames and more of %d bytes", total, len(b))
	})
}

func BenchmarkWrite(b *testing.B) {
	w, jpeg := NewWriter(nowhere{}, testHeader), make([]byte, 120_000)
	b.SetBytes(int64(len(jpeg)))
	at := time.Duration(0)
	for b.Loop() {
		at += time.Second / 30
		if err := w.Write(at, jpeg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	var f memory
	w := NewWriter(&f, testHeader)
	jpeg := make([]byte, 120_000)
	for i := range jpeg {
		jpeg[i] = byte(rand.Int())
	}
	for i := range 100 {
		if err := w.Write(time.Duration(i)*time.Second/30, jpeg); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(jpeg)))
	r, err := NewReader(bytes.NewReader(f.b), 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	for b.Loop() {
		if dst, _, err = r.Next(dst[:0]); err == io.EOF {
			r, err = NewReader(bytes.NewReader(f.b), 1<<20)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// sparse is a file that is mostly zeros.
type sparse struct {
	parts map[int64][]byte
	size  int64
	at    int64
	read  int64 // bytes, altogether
}

func (s *sparse) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.size-s.at)]
	clear(p)
	for at, part := range s.parts {
		if from, to := max(at, s.at), min(at+int64(len(part)), s.at+int64(len(p))); from < to {
			copy(p[from-s.at:], part[from-at:to-at])
		}
	}
	s.at += int64(len(p))
	s.read += int64(len(p))
	return len(p), nil
}

func (s *sparse) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	}
	s.at = offset
	return s.at, nil
}

// What is of no use is not read where it can be passed over, and if it is cut off that
// is found nevertheless.
func TestSeeksOverWhatIsSkipped(t *testing.T) {
	const size = 1 << 42
	void := appendVint(appendID(nil, idVoid), size, 8)
	frames := el(idCluster, num(idTimestamp, 1000), simple(2, 0, 0, "a"))
	later := el(idCluster, num(idTimestamp, 1040), simple(2, 0, 0, "b"))
	lead := slices.Concat(ebmlHead, open(idSegment), void)
	second := int64(len(lead)) + size
	mid := slices.Concat(tracks, frames, void)
	third := second + int64(len(mid)) + size
	in := &sparse{parts: map[int64][]byte{0: lead, second: mid, third: later}, size: third + int64(len(later))}

	r, err := NewReader(in, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "b"} {
		if got, _, err := r.Next(nil); string(got) != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if _, _, err := r.Next(nil); err != io.EOF || in.read > 1<<20 {
		t.Errorf("got %v at the end, having read %d bytes", err, in.read)
	}

	for _, cut := range []int64{third - 1, third - 1<<40, second + int64(len(mid))} {
		in.at, in.size = 0, cut
		if r, err = NewReader(in, 1000); err != nil {
			t.Fatal(err)
		}
		r.Next(nil)
		if _, _, err := r.Next(nil); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), fmt.Sprintf("after %d bytes", cut)) {
			t.Errorf("cut off after %d bytes: got %v", cut, err)
		}
	}
}

// A text of the file does the terminal on which it is shown no harm.
func TestTextsAreFitToBeShown(t *testing.T) {
	for codec, want := range map[string]string{
		"V_MPEG4/ISO/AVC":              "matroska: the video is V_MPEG4/ISO/AVC, not V_MJPEG",
		"V_\x1b[31mX":                  `matroska: the video is "V_\x1b[31mX", not V_MJPEG`,
		"V_\xff\u202e":                 `matroska: the video is "V_\xff\u202e", not V_MJPEG`,
		"V_X\x00padding":               "matroska: the video is V_X, not V_MJPEG",
		strings.Repeat("x", 1000):      "matroska: the video is " + strings.Repeat("x", 64) + "..., not V_MJPEG",
		"x" + strings.Repeat("é", 500): "matroska: the video is x" + strings.Repeat("é", 31) + "..., not V_MJPEG",
	} {
		_, err := NewReader(bytes.NewReader(slices.Concat(ebmlHead, el(idSegment,
			el(idTracks, el(idTrackEntry, num(idTrackNumber, 2), num(idTrackType, 1), el(idCodecID, codec)))))), 1000)
		var other *CodecError
		if !errors.As(err, &other) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := NewReader(bytes.NewReader(el(idEBML, el(idDocType, strings.Repeat("\n", 1<<19)))), 1000)
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("a kind of half a megabyte is shown in %d bytes", len(err.Error()))
	}
}
