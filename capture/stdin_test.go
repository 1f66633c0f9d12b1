package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/timecode"
)

// chunks is a Reader of nothing but b, in reads of n bytes.
type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	return n, nil
}

func TestMJPEGFileIsPlayed(t *testing.T) {
	want := greys(t, 9, 64, 48)
	for _, tt := range []struct {
		fps  float64
		last time.Duration // when the last frame is due
	}{{0, 8 * time.Second / 30}, {100, 80 * time.Millisecond}} {
		file := asFile(t, slices.Concat(want...))
		synctest.Test(t, func(t *testing.T) {
			s, start := mustOpen(t, Config{Source: "-", Stdin: file, FPS: tt.fps}), time.Now()
			got, err := takeAll(t, s)
			if err != nil || len(got) != len(want) {
				t.Fatalf("got %d frames, %v, want %d", len(got), err, len(want))
			}
			for i, f := range got {
				if !bytes.Equal(f.jpeg, want[i]) || f.id != uint32(i) {
					t.Errorf("frame %d is not as it was", i)
				}
			}
			if took := got[len(got)-1].captured.Sub(start); took.Round(time.Millisecond) != tt.last.Round(time.Millisecond) {
				t.Errorf("the last frame came after %v, want %v", took, tt.last)
			}
			if got := info(s); got.Live || got.Name != "standard input (mjpeg)" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// livePipe writes pictures to a source, at the given times after the start.
func livePipe(t *testing.T, pictures [][]byte, every time.Duration) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		for _, p := range pictures {
			if _, err := w.Write(p); err != nil {
				return
			}
			time.Sleep(every)
		}
		w.Close()
	}()
	t.Cleanup(func() { r.Close() })
	return r
}

func TestPipeIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := greys(t, 10, 64, 48)
		s, start := mustOpen(t, Config{Source: "-", Stdin: livePipe(t, want, 7*time.Millisecond)}), time.Now()
		got, err := takeAll(t, s)
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %d frames, %v", len(got), err)
		}
		for i, f := range got {
			if at := time.Duration(7*i) * time.Millisecond; !bytes.Equal(f.jpeg, want[i]) || f.captured.Sub(start) != at {
				t.Errorf("frame %d came at %v, want %v", i, f.captured.Sub(start), at)
			}
		}
		if got, want := info(s), (Info{Name: "standard input (mjpeg)", Live: true}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// Whoever comes late gets the newest picture of a pipe, of any format, and the pipe
// never has to wait.
func TestPipeKeepsTheNewest(t *testing.T) {
	jpegs := greys(t, 10, 64, 48)
	var y4m, bgr [][]byte
	for i := range 10 {
		y4m = append(y4m, append([]byte("FRAME\n"), plain(64, 48, image.YCbCrSubsampleRatio420, byte(40+10*i), 128, 128).Y[:64*48*3/2]...))
		bgr = append(bgr, bytes.Repeat([]byte{byte(40 + 10*i)}, 64*48*3))
	}
	y4m[0] = append([]byte("YUV4MPEG2 W64 H48 F30:1 XCOLORRANGE=FULL\n"), y4m[0]...)
	for name, tt := range map[string]struct {
		cfg      Config
		pictures [][]byte
	}{
		"mjpeg": {Config{}, jpegs},
		"y4m":   {Config{}, y4m},
		"bgr24": {Config{Format: "bgr24", Size: image.Pt(64, 48)}, bgr},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := tt.cfg
				cfg.Source, cfg.Stdin = "-", livePipe(t, tt.pictures, 10*time.Millisecond)
				s, start := mustOpen(t, cfg), time.Now()
				time.Sleep(75 * time.Millisecond) // 8 have come
				got, err := takeAll(t, s)
				if err != nil || ids(got) != "[7 8 9]" {
					t.Fatalf("got frames %s, %v, want [7 8 9]", ids(got), err)
				}
				for _, f := range got {
					if y, _, _ := colour(decode(t, f.jpeg)); !near(y, byte(40+10*f.id), 2) {
						t.Errorf("frame %d has luma %d, want %d", f.id, y, 40+10*f.id)
					}
					if at := time.Duration(f.id) * 10 * time.Millisecond; f.captured.Sub(start) != at {
						t.Errorf("frame %d was captured at %v, want %v: when it came, not when it was taken", f.id, f.captured.Sub(start), at)
					}
				}
				if got := stats(s); got != (Stats{Pictures: 10, Replaced: 7}) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

func TestPipeIsThinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all [][]byte
		for i := range 60 {
			all = append(all, greys(t, 10, 16, 16)[i%10])
		}
		s := mustOpen(t, Config{Source: "-", Stdin: livePipe(t, all, time.Second/60), FPS: 20})
		got, err := takeAll(t, s)
		if err != nil || len(got) != 20 {
			t.Fatalf("got %d frames, %v, want 20", len(got), err)
		}
		for i, f := range got {
			if f.id != uint32(i) || !bytes.Equal(f.jpeg, all[3*i]) {
				t.Errorf("frame %d is not picture %d, untouched", f.id, 3*i)
			}
		}
		if got := stats(s); got != (Stats{Pictures: 60, Thinned: 40}) {
			t.Errorf("got %+v", got)
		}
		if got := info(s).FPS; got != 20 {
			t.Errorf("the nominal rate is %v, want 20", got)
		}
	})
}

// Whatever the pipe does, Next and Open leave when they are told to.
func TestPipeHangs(t *testing.T) {
	picture := greys(t, 1, 64, 48)[0]
	for name, before := range map[string][]byte{
		"before the first byte": nil,
		"within the magic":      []byte("YUV4"),
		"within the header":     []byte("YUV4MPEG2 W64"),
		"within a picture":      picture[:len(picture)/2],
		"between pictures":      picture,
		"within a y4m picture":  []byte("YUV4MPEG2 W64 H48 F30:1\nFRAME\nabc"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				why := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				r, w := io.Pipe()
				defer w.Close() // lets the goroutine that hangs go
				go w.Write(before)
				start := time.Now()
				time.AfterFunc(time.Second, func() { cancel(why) })
				s, err := Open(ctx, Config{Source: "-", Stdin: r})
				for err == nil {
					_, err = s.Next(ctx)
				}
				if err != why || time.Since(start) != time.Second {
					t.Errorf("got %v after %v, want %v after 1s", err, time.Since(start), why)
				}
				if s == nil {
					return
				}
				start = time.Now()
				if s.Close(); time.Since(start) > 100*time.Millisecond {
					t.Errorf("Close took %v", time.Since(start))
				}
			})
		})
	}
}

func TestGarbageBetweenJPEGs(t *testing.T) {
	good := greys(t, 3, 64, 48)
	noise := bytes.Repeat([]byte("--boundary\r\nContent-Type: image/jpeg\r\n\r\n"), 5)
	large := encode(t, noisy(400, 300), 100)
	input := slices.Concat(good[0], noise, good[1], large, good[1][:len(good[1])/2], noise, good[2], good[0][:100])
	for _, n := range []int{1, 7, 4096, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			var log logBuffer
			s := mustOpen(t, Config{Source: "-", Stdin: &chunks{bytes.Clone(input), n}, MaxFrame: 20000, Log: log.log()})
			time.Sleep(time.Second) // all has been read: the last picture is what is left
			got, err := takeAll(t, s)
			if err != nil || len(got) != 1 || !bytes.Equal(got[0].jpeg, good[2]) || got[0].id != 2 {
				t.Fatalf("reads of %d: got frames %s, %v, want the third good one", n, ids(got), err)
			}
			// Damaged: one too large, one broken off, one at the end.
			garbage := len(input) - len(good[0]) - len(good[1]) - len(good[2])
			if got, want := stats(s), (Stats{Pictures: 6, Replaced: 2, Damaged: 3, Garbage: uint64(garbage)}); got != want {
				t.Errorf("reads of %d: got %+v, want %+v", n, got, want)
			}
			if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "input skipped") {
				t.Errorf("reads of %d: the log must say it once:\n%s", n, &log)
			}
		})
	}
}

// noisy is a picture that makes a large JPEG.
func noisy(w, h int) *image.YCbCr {
	p, seed := plain(w, h, image.YCbCrSubsampleRatio420, 0, 128, 128), uint32(1)
	for i := range p.Y {
		seed = seed*1664525 + 1013904223
		p.Y[i] = byte(seed >> 24)
	}
	return p
}

// Rubbish without any picture is reported while it comes, and does not keep a
// goroutine busy after Close.
func TestNothingButGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		r, w := io.Pipe()
		wrote := make(chan error)
		go func() {
			for {
				if _, err := w.Write(make([]byte, 100000)); err != nil {
					wrote <- err
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		s, err := Open(t.Context(), Config{Source: "-", Format: "mjpeg", Stdin: r, Log: log.log()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2950*time.Millisecond)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := stats(s).Garbage; got < 2_000_000 {
			t.Errorf("counted %d bytes of garbage", got)
		}
		if n := strings.Count(log.String(), "input skipped"); n != 3 {
			t.Errorf("the log says it %d times in 3 s, want once a second:\n%s", n, &log)
		}
		s.Close()
		synctest.Wait()
		time.Sleep(time.Second)
		select { // nobody reads any more
		case err := <-wrote:
			t.Error(err)
		default:
		}
		r.Close()
		<-wrote
	})
}

func TestUnusableInput(t *testing.T) {
	y4m := func(header, rest string) string { return "YUV4MPEG2 " + header + "\n" + rest }
	frame := "FRAME\n" + strings.Repeat("x", 16*16*3/2)
	for name, tt := range map[string]struct {
		cfg   Config
		input string
		want  string
	}{
		"empty":              {Config{}, "", "ended before the first picture"},
		"empty mjpeg":        {Config{Format: "mjpeg"}, "", "ended before the first picture"},
		"empty y4m":          {Config{Format: "y4m"}, "", "ended before the first picture"},
		"empty bgr24":        {Config{Format: "bgr24", Size: image.Pt(16, 16)}, "", "ended before the first picture"},
		"garbage":            {Config{}, "hello, world", "starts with 68 65 6c 6c 6f 2c 20 77 6f, which is neither a JPEG (ff d8) nor YUV4MPEG2"},
		"short garbage":      {Config{}, "hi", "starts with 68 69"},
		"mjpeg of garbage":   {Config{Format: "mjpeg"}, strings.Repeat("no", 5000), "ended before the first picture"},
		"half a JPEG":        {Config{}, string(greys(t, 1, 64, 64)[0][:300]), "ended before the first picture"},
		"half a BGR picture": {Config{Format: "bgr24", Size: image.Pt(16, 16)}, strings.Repeat("x", 700), "ended before the first picture"},
		"no JPEG as y4m":     {Config{Format: "y4m"}, "\xff\xd8\xff\n", "does not start with YUV4MPEG2"},
		"header cut off":     {Config{}, "YUV4MPEG2 W16 H16", "unexpected EOF"},
		"header without end": {Config{}, "YUV4MPEG2 " + strings.Repeat("X", 70000), "no end of line within 1024 bytes"},
		"header alone":       {Config{}, y4m("W16 H16 F25:1", ""), "ended before the first picture"},
		"no width":           {Config{}, y4m("H16 F25:1", frame), "width (W) or height (H) is missing"},
		"bad width":          {Config{}, y4m("Wx H16", frame), `field "Wx"`},
		"negative":           {Config{}, y4m("W-16 H16", frame), "-16x16"},
		"too large":          {Config{}, y4m("W16384 H16384", frame), "over the limit"},
		"far too large":      {Config{}, y4m("W99999999999999999999 H2", frame), "out of range"},
		"rate":               {Config{}, y4m("W16 H16 F30", frame), `field "F30": the rate is not a fraction`},
		"rate zero":          {Config{}, y4m("W16 H16 F0:1", frame), "over 0"},
		"rate over zero":     {Config{}, y4m("W16 H16 F1:0", frame), "over 0"},
		"10 bits":            {Config{}, y4m("W16 H16 C420p10", frame), "C420p10 is not one of C420, C422, C444"},
		"no frame":           {Config{}, y4m("W16 H16", "GRAME\n"+frame), `picture 0: starts with "GRAME" instead of FRAME`},
		"second no frame":    {Config{}, y4m("W16 H16", frame+"xxxxFRAME\n"), `picture 1: starts with "xxxxFRAME" instead of FRAME`},
		"FRAMES":             {Config{}, y4m("W16 H16", "FRAMES\n"+frame), "instead of FRAME"},
		"endless frame line": {Config{}, y4m("W16 H16", "FRAME "+strings.Repeat("I", 2000)), "no end of line within 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tt.cfg
			cfg.Source, cfg.Stdin = "-", strings.NewReader(tt.input)
			s, err := Open(t.Context(), cfg)
			if err == nil {
				_, err = takeAll(t, s)
				s.Close()
			}
			if err == nil || !strings.HasPrefix(err.Error(), "capture: standard input: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestInputFails(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, format := range []string{"", "mjpeg", "y4m", "bgr24"} {
		good := greys(t, 1, 64, 48)[0]
		if format == "y4m" {
			good = []byte("YUV4MPEG2 W64 H48\nFRAME\nxx")
		}
		s, err := Open(t.Context(), Config{Source: "-", Format: format, Size: image.Pt(64, 48), Stdin: io.MultiReader(bytes.NewReader(good), errReader{broken})})
		if err == nil {
			_, err = takeAll(t, s)
			s.Close()
		}
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "capture: standard input: ") {
			t.Errorf("%s: got %v, want %v", format, err, broken)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// What was whole is delivered, the rest is counted and said.
func TestInputEndsWithinAPicture(t *testing.T) {
	jpegs := greys(t, 2, 16, 16)
	raw := bytes.Repeat([]byte{77}, 16*16*3)
	y4m := append([]byte("FRAME\n"), raw[:16*16*3/2]...)
	for name, tt := range map[string]struct {
		cfg   Config
		input []byte
		stats Stats
	}{
		"mjpeg":                {Config{}, slices.Concat(jpegs[0], jpegs[1][:200]), Stats{Pictures: 2, Damaged: 1, Garbage: 200}},
		"bgr24":                {Config{Format: "bgr24", Size: image.Pt(16, 16)}, slices.Concat(raw, raw[:500]), Stats{Pictures: 2, Damaged: 1, Garbage: 500}},
		"y4m":                  {Config{}, slices.Concat([]byte("YUV4MPEG2 W16 H16\n"), y4m, y4m[:50]), Stats{Pictures: 2, Damaged: 1, Garbage: 44}},
		"y4m after FRAME":      {Config{}, slices.Concat([]byte("YUV4MPEG2 W16 H16\n"), y4m, y4m[:6]), Stats{Pictures: 2, Damaged: 1}},
		"y4m within the FRAME": {Config{}, slices.Concat([]byte("YUV4MPEG2 W16 H16\n"), y4m, y4m[:3]), Stats{Pictures: 2, Damaged: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			cfg := tt.cfg
			cfg.Source, cfg.Log, cfg.Stdin = "-", log.log(), asFile(t, tt.input)
			s := mustOpen(t, cfg)
			got, err := takeAll(t, s)
			if err != nil || len(got) != 1 {
				t.Errorf("got %d frames, %v, want 1", len(got), err)
			}
			if got := stats(s); got != tt.stats {
				t.Errorf("got %+v, want %+v", got, tt.stats)
			}
			if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "standard input") {
				t.Errorf("the log is:\n%s", &log)
			}
		})
	}
}

func TestFileLoops(t *testing.T) {
	jpegs := greys(t, 3, 16, 16)
	raw := slices.Concat(bytes.Repeat([]byte{50}, 16*16*3), bytes.Repeat([]byte{60}, 16*16*3), bytes.Repeat([]byte{70}, 16*16*3))
	y4m := []byte("YUV4MPEG2 W16 H16 F30:1 Cmono XCOLORRANGE=FULL\n")
	for i := range 3 {
		y4m = slices.Concat(y4m, []byte("FRAME\n"), bytes.Repeat([]byte{byte(50 + 10*i)}, 16*16))
	}
	for name, tt := range map[string]struct {
		cfg   Config
		input []byte
		step  int // of luma
		first byte
	}{
		"mjpeg": {Config{}, slices.Concat(jpegs...), 10, 40},
		"y4m":   {Config{}, y4m, 10, 50},
		"bgr24": {Config{Format: "bgr24", Size: image.Pt(16, 16)}, raw, 10, 50},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tt.cfg
			cfg.Source, cfg.Loop = "-", true
			skipped := []byte("somebody has read this") // what was read before does not come back
			file := asFile(t, append(skipped, tt.input...))
			io.ReadFull(file, make([]byte, len(skipped)))
			cfg.Stdin = file
			synctest.Test(t, func(t *testing.T) {
				s, start := mustOpen(t, cfg), time.Now()
				for i, f := range take(t, s, 31) {
					if y, _, _ := colour(decode(t, f.jpeg)); f.id != uint32(i) || !near(y, tt.first+byte(i%3*tt.step), 2) {
						t.Errorf("frame %d has luma %d", i, y)
					}
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("31 frames took %v, want 1s", took)
				}
			})
		})
	}
}

func TestRawWithTimecode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // never late
		size := image.Pt(320, 240)
		s := mustOpen(t, Config{
			Source: "-", Format: "bgr24", Size: size, Timecode: true, Quality: 90,
			Stdin: asFile(t, bytes.Repeat([]byte{200, 50, 20}, 2*size.X*size.Y)), // blue
		})
		got, err := takeAll(t, s)
		if err != nil || len(got) != 2 {
			t.Fatalf("got %d frames, %v", len(got), err)
		}
		for _, f := range got {
			img := decode(t, f.jpeg)
			if code, err := timecode.Read(img); err != nil || code.ID != f.id || !code.Captured.Equal(f.captured.Truncate(time.Microsecond)) {
				t.Errorf("read %+v, %v", code, err)
			}
			r, g, b, _ := img.At(160, 120).RGBA()
			if !near(byte(r>>8), 20, 4) || !near(byte(g>>8), 50, 4) || !near(byte(b>>8), 200, 4) {
				t.Errorf("the colour has become %d, %d, %d", r>>8, g>>8, b>>8)
			}
		}
	})
}

func TestTerminalIsRefused(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		testutil.Skip(t, "no pseudo terminals here: %v", err)
	}
	defer tty.Close()
	if _, err := Open(t.Context(), Config{Source: "-", Stdin: tty}); err == nil || !strings.Contains(err.Error(), "is a terminal") {
		t.Errorf("got %v", err)
	}
}

// A real pipe between a writer that is slow to start and a source.
func TestRealPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := greys(t, 1, 64, 48)[0]
	go func() {
		defer w.Close()
		time.Sleep(20 * time.Millisecond)
		w.Write(want)
	}()
	s := mustOpen(t, Config{Source: "-", Stdin: r})
	if got := take(t, s, 1)[0]; !bytes.Equal(got.jpeg, want) || !info(s).Live {
		t.Errorf("got %d bytes, %+v", len(got.jpeg), info(s))
	}
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestManySizesInOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // never late
		var input []byte
		sizes := []image.Point{{16, 16}, {333, 77}, {64, 200}}
		for _, p := range sizes {
			input = append(input, encode(t, plain(p.X, p.Y, image.YCbCrSubsampleRatio420, 80, 128, 128), 80)...)
		}
		for _, cfg := range []Config{{}, {Quality: 70}, {Size: image.Pt(100, 50)}} {
			cfg.Source, cfg.Stdin = "-", asFile(t, input)
			got, err := takeAll(t, mustOpen(t, cfg))
			if err != nil || len(got) != len(sizes) {
				t.Fatalf("got %d frames, %v", len(got), err)
			}
			for i, f := range got {
				want := sizes[i]
				if cfg.Size != (image.Point{}) {
					want = cfg.Size
				}
				h, err := codec.ParseHeader(f.jpeg)
				if have := image.Pt(h.Width, h.Height); err != nil || have != want || f.size != want {
					t.Errorf("%s: got %v, %v, %v, want %v", fmt.Sprint(cfg.Quality, cfg.Size), have, f.size, err, want)
				}
			}
		}
	})
}
