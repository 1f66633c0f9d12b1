package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

func openFake(t *testing.T, sys *fakeSys, cfg Config) stream.Source {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openCameraOf(t.Context(), sys, cfg, "camera:0")
	if err != nil {
		t.Fatal(err)
	}
	return closedOnce(t, s)
}

func oneCam() (*fakeSys, *fakeCam) {
	cam := webcam()
	return &fakeSys{cams: map[string]*fakeCam{"/dev/video0": cam}}, cam
}

// released checks that nothing of the camera is still taken.
func released(t *testing.T, cam *fakeCam) {
	t.Helper()
	if handles, mapped, on := cam.left(); handles != 0 || mapped != 0 || on {
		t.Errorf("left behind: %d handles, %d mappings, streaming %v", handles, mapped, on)
	}
}

// withoutHuffman takes the tables out, as webcams do.
func withoutHuffman(t *testing.T, jpeg []byte) []byte {
	t.Helper()
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(jpeg[:2])
	for pos := 2; pos < h.Scan; {
		n := 2 + int(jpeg[pos+2])<<8 + int(jpeg[pos+3])
		if jpeg[pos+1] != 0xC4 {
			out = append(out, jpeg[pos:pos+n]...)
		}
		pos += n
	}
	return append(out, jpeg[h.Scan:]...)
}

func TestCameraPassesItsJPEGs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		sys, cam := oneCam()
		s := openFake(t, sys, Config{Log: log.log()})
		if got, want := info(s), (Info{Name: "camera:0 (Fake Cam, MJPG)", Size: DefaultSize, FPS: 30, Live: true}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		good := greys(t, 3, 64, 48)
		bare := withoutHuffman(t, good[1])
		if h, err := codec.ParseHeader(bare); err != nil || h.Huffman {
			t.Fatalf("the test's picture: %+v, %v", h, err)
		}
		stale := slices.Concat(good[2], make([]byte, 50), good[0][20:]) // padding, then an older picture's rest
		var got []shot
		for i, b := range []struct {
			data  []byte
			flags uint32
			want  []byte // nil: left out
		}{
			{good[0], 0, good[0]},
			{good[1], bufFlagError, nil},
			{nil, 0, nil},
			{bare, 0, codec.Mend(bytes.Clone(bare))},
			{good[0][:len(good[0])-40], 0, nil},
			{[]byte("no JPEG"), 0, nil},
			{stale, 0, good[2]},
		} {
			time.Sleep(33 * time.Millisecond)
			at := time.Now()
			cam.give(b.data, b.flags)
			synctest.Wait()
			if b.want == nil {
				continue
			}
			f := take(t, s, 1)[0]
			if !bytes.Equal(f.jpeg, b.want) || f.size != image.Pt(64, 48) || !f.captured.Equal(at) || f.id != uint32(len(got)) {
				t.Errorf("buffer %d: frame %d of %v with %d bytes, captured %v, want the camera's %d bytes at %v", i, f.id, f.size, len(f.jpeg), f.captured, len(b.want), at)
			}
			got = append(got, f)
		}
		if got, want := stats(s), (Stats{Pictures: 7, Damaged: 4}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		balanced(t, s, len(got))
		if n := strings.Count(log.String(), "picture skipped"); n != 1 {
			t.Errorf("the log says it %d times within a second:\n%s", n, &log)
		}
		s.Close()
		released(t, cam)
	})
}

// Whoever is away meanwhile gets the newest picture: none waits in the driver.
func TestCameraIsDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, cam := oneCam()
		s := openFake(t, sys, Config{})
		all := greys(t, 20, 64, 48)
		for _, p := range all {
			cam.give(p, 0)
			time.Sleep(33 * time.Millisecond)
		}
		f := take(t, s, 1)[0]
		if !bytes.Equal(f.jpeg, all[19]) || f.id != 19 || time.Since(f.captured) != 33*time.Millisecond {
			t.Errorf("got frame %d, captured %v ago, want the newest", f.id, time.Since(f.captured))
		}
		if cam.missed > 0 || stats(s) != (Stats{Pictures: 20, Replaced: 19}) {
			t.Errorf("the camera found no buffer %d times; %+v", cam.missed, stats(s))
		}
	})
}

func TestCameraIsThinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, cam := oneCam()
		s := openFake(t, sys, Config{FPS: 10})
		if got := info(s).FPS; got != 10 {
			t.Errorf("the rate is said to be %v, want 10", got)
		}
		if got := cam.rate; got != (v4l2Fract{1, 15}) {
			t.Errorf("the camera runs at %v, want its lowest rate over 10", got)
		}
		n := 0
		for _, p := range greys(t, 15, 64, 48) {
			before := stats(s).Thinned
			cam.give(p, 0)
			synctest.Wait()
			if stats(s).Thinned == before {
				take(t, s, 1)
				n++
			}
			time.Sleep(time.Second / 15)
		}
		if n != 10 {
			t.Errorf("%d of 15 passed, want 10", n)
		}
	})
}

func TestCameraGrantsSomethingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		sys, cam := oneCam()
		cam.formats[1].sizes = []v4l2FrmSizeEnum{discrete(640, 480), discrete(1280, 720)}
		cam.formats[1].rates = []v4l2FrmIvalEnum{every(1, 30)}
		s := openFake(t, sys, Config{Size: image.Pt(1920, 1080), FPS: 60, Log: log.log()})
		for _, want := range []string{"asked=\"1920x1080 at 60 fps\"", "granted=\"1280x720 at 30 fps\"", "level=WARN", "scaled=\"to 1920x1080"} {
			if strings.Count(log.String(), want) != 1 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("the log is not one line with %s:\n%s", want, &log)
			}
		}
		if got := info(s); got.Size != image.Pt(1920, 1080) || got.FPS != 30 {
			t.Errorf("got %+v", got)
		}
		cam.give(encode(t, plain(1280, 720, image.YCbCrSubsampleRatio422, 99, 128, 128), 80), 0)
		f := take(t, s, 1)[0]
		if y, _, _ := colour(decode(t, f.jpeg)); f.size != image.Pt(1920, 1080) || !near(y, 99, 2) {
			t.Errorf("the frame is %v with luma %d, want the size that was asked for", f.size, y)
		}
	})
}

// Its exact size passes untouched, and what was granted is said.
func TestCameraGrantsTheSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		sys, cam := oneCam()
		cam.noRate = true
		s := openFake(t, sys, Config{Size: image.Pt(64, 48), Log: log.log()})
		want := greys(t, 1, 64, 48)[0]
		cam.give(want, 0)
		if f := take(t, s, 1)[0]; !bytes.Equal(f.jpeg, want) {
			t.Error("the JPEG is not the camera's")
		}
		if got := info(s); got.Size != image.Pt(64, 48) || got.FPS != 0 {
			t.Errorf("got %+v, want 64x48 and no rate, which the driver does not tell", got)
		}
		if !strings.Contains(log.String(), "level=INFO") || !strings.Contains(log.String(), "granted=64x48") {
			t.Errorf("the log:\n%s", &log)
		}
	})
}

func TestCameraUnpluggedAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		sys, cam := oneCam()
		s := openFake(t, sys, Config{Log: log.log(), Size: image.Pt(320, 240), Timecode: true})
		picture := encode(t, plain(320, 240, image.YCbCrSubsampleRatio420, 200, 128, 128), 80)
		cam.give(picture, 0)
		all := take(t, s, 1)

		sys.plug("/dev/video0", nil)
		lost := time.Now()
		all = append(all, take(t, s, 6)...)
		if d := time.Since(lost); d != 3*time.Second {
			t.Errorf("6 placeholders took %v, want 3s", d)
		}
		for _, f := range all[1:] {
			img := decode(t, f.jpeg)
			code, err := timecode.Read(img)
			if y := img.YCbCrAt(5, 235).Y; img.Rect.Size() != image.Pt(320, 240) || y > 40 || err != nil || code.ID != f.id || f.captured.Before(lost) {
				t.Errorf("placeholder %d: %v, ground %d, %+v, %v", f.id, img.Rect.Size(), y, code, err)
			}
		}
		released(t, cam)

		again := webcam()
		sys.plug("/dev/video0", again)
		var running sync.WaitGroup
		defer running.Wait()
		running.Go(func() {
			for range 100 {
				again.give(picture, 0)
				time.Sleep(33 * time.Millisecond)
			}
		})
		back := time.Now()
		bright := false
		for !bright && time.Since(back) < 10*time.Second {
			f := take(t, s, 1)[0]
			y := decode(t, f.jpeg).YCbCrAt(5, 235).Y
			bright = y > 150
			all = append(all, f)
		}
		if d := time.Since(back); !bright || d > lastRetry+100*time.Millisecond {
			t.Errorf("a picture %v, %v after it was plugged in", bright, d)
		}
		for i, f := range all {
			if f.id != uint32(i) {
				t.Fatalf("the IDs are %s, want them to go on counting", ids(all))
			}
		}
		st := stats(s)
		if st.Reopened != 1 || st.Placeholder < 6 {
			t.Errorf("got %+v", st)
		}
		synctest.Wait()
		if l := log.String(); strings.Count(l, "source lost") != 1 || !strings.Contains(l, "was unplugged") || strings.Count(l, "still lost") != 1 || strings.Count(l, "source is back") != 1 {
			t.Errorf("the log:\n%s", l)
		}
		s.Close()
		released(t, again)
	})
}

// A camera that runs and gives nothing is opened again, too.
func TestCameraGoesSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, cam := oneCam()
		s := openFake(t, sys, Config{})
		cam.give(greys(t, 1, 64, 48)[0], 0)
		take(t, s, 1)
		start := time.Now()
		take(t, s, 1)
		if d := time.Since(start); d != stallAfter+placeholderEvery {
			t.Errorf("the first placeholder came after %v", d)
		}
		for time.Since(start) < 30*time.Second {
			if f := take(t, s, 1)[0]; time.Since(f.captured) > 0 {
				t.Errorf("placeholder %d is old", f.id)
			}
		}
		if got := stats(s); got.Reopened < 2 || got.Reopened > 6 || got.Placeholder < 45 {
			t.Errorf("after 30 s: %+v", got)
		}
		picture := greys(t, 1, 64, 48)[0]
		for range 30 {
			cam.give(picture, 0) // while it is being opened, that does nothing
			if f := take(t, s, 1)[0]; bytes.Equal(f.jpeg, picture) {
				return
			}
		}
		t.Error("its next picture did not come through")
	})
}

func TestCameraThatCannotBeOpened(t *testing.T) {
	yuyv := webcam()
	yuyv.formats = yuyv.formats[:1]
	bare := webcam()
	bare.formats = nil
	metadata := webcam()
	metadata.caps = 0x00800000 | capStreaming // V4L2_CAP_META_CAPTURE
	busy := webcam()
	busy.owner = &fakeNode{cam: busy}
	crowded := webcam()
	crowded.startErr = unix.ENOSPC
	huge := webcam()
	huge.grants = &v4l2Format{pix: v4l2PixFormat{width: 1 << 31, height: 1 << 31, pixelFormat: fourccMJPG}}
	greedy := webcam()
	greedy.buffers = 99
	lies := webcam()
	lies.grants = &v4l2Format{pix: v4l2PixFormat{width: 640, height: 480, pixelFormat: 'H' | '2'<<8 | '6'<<16 | '4'<<24}}
	for name, tt := range map[string]struct {
		cam  *fakeCam
		err  error
		want []string
		is   error
	}{
		"absent":     {nil, nil, []string{"camera:0 (/dev/video0) is not there", "there is camera:7 (Other Cam)"}, fs.ErrNotExist},
		"not mine":   {nil, unix.EACCES, []string{"group video"}, fs.ErrPermission},
		"busy":       {busy, nil, []string{"in use by another program", "fuser -v /dev/video0"}, unix.EBUSY},
		"busy open":  {nil, unix.EBUSY, []string{"in use by another program", "fuser -v /dev/video0"}, unix.EBUSY},
		"metadata":   {metadata, nil, []string{"no video capture device", "there is camera:7 (Other Cam)"}, errNoCapture},
		"no formats": {bare, nil, []string{"offers no format"}, nil},
		"no JPEG":    {yuyv, nil, []string{"YUYV (YUYV 4:2:2) up to 640x480"}, nil},
		"lies":       {lies, nil, []string{"MJPG (Motion-JPEG) up to 1920x1080"}, nil},
		"no room":    {crowded, nil, []string{"no room on its USB bus", "MJPG (Motion-JPEG) up to 1920x1080"}, unix.ENOSPC},
		"huge":       {huge, nil, []string{"2147483648x2147483648"}, nil},
		"greedy":     {greedy, nil, []string{"gives 99 buffers"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			other := webcam()
			other.name = "Other Cam"
			sys := &fakeSys{cams: map[string]*fakeCam{"/dev/video7": other}, fails: map[string]error{}}
			if tt.cam != nil {
				sys.cams["/dev/video0"] = tt.cam
			}
			if tt.err != nil {
				sys.fails["/dev/video0"] = tt.err
			}
			cfg, _ := Config{}.withDefaults()
			s, err := openCameraOf(t.Context(), sys, cfg, "camera:0")
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			for _, w := range append(tt.want, "capture: camera:0") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %v, want %q", err, w)
				}
			}
			var config *ConfigError
			if tt.is != nil && !errors.Is(err, tt.is) || errors.As(err, &config) {
				t.Errorf("got %v (%T), want it to match %v", err, err, tt.is)
			}
			if tt.cam != nil && tt.cam != busy {
				released(t, tt.cam)
			}
			released(t, other)
		})
	}
}

// Whatever a driver does, the context ends the waiting.
func TestCameraHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		sys, cam := oneCam()
		sys.hang = make(chan struct{})
		cfg, _ := Config{}.withDefaults()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		start := time.Now()
		if _, err := openCameraOf(ctx, sys, cfg, "camera:0"); err != why || time.Since(start) != time.Second {
			t.Errorf("opening: got %v after %v", err, time.Since(start))
		}
		close(sys.hang) // it succeeds after all: nobody wants it any more
		synctest.Wait()
		released(t, cam)

		sys.hang = nil
		s := openFake(t, sys, Config{})
		ctx, cancel = context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		start = time.Now()
		if _, err := s.Next(ctx); err != why || time.Since(start) != time.Second {
			t.Errorf("reading: got %v after %v", err, time.Since(start))
		}

		sys.hang = make(chan struct{}) // while it is opened again
		sys.plug("/dev/video0", nil)
		take(t, s, 3)
		start = time.Now()
		if s.Close(); time.Since(start) > 100*time.Millisecond {
			t.Errorf("Close took %v", time.Since(start))
		}
		close(sys.hang)
		released(t, cam)
	})
}

func TestDevicesOf(t *testing.T) {
	meta, odd, endless := webcam(), webcam(), webcam()
	meta.caps = 0x00800000 | capStreaming
	odd.name = "Odd\x01 \xffCam"
	odd.formats = []fakeFormat{{
		code: fourccJPEG, desc: "JPEG", sizes: []v4l2FrmSizeEnum{{typ: 3, minWidth: 32, maxWidth: 2592, stepWidth: 2, minHeight: 24, maxHeight: 1944, stepHigh: 2}},
		rates: []v4l2FrmIvalEnum{{typ: 2, min: v4l2Fract{1, 90}, max: v4l2Fract{1, 1}}},
	}}
	endless.endless = true
	sys := &fakeSys{
		cams:  map[string]*fakeCam{"/dev/video10": odd, "/dev/video2": webcam(), "/dev/video3": meta, "/dev/video11": endless},
		fails: map[string]error{"/dev/video1": unix.EACCES},
	}
	all, err := devicesOf(t.Context(), sys)
	if err != nil || len(all) != 4 {
		t.Fatalf("got %d devices, %v, want 4: %+v", len(all), err, all)
	}
	if d := all[0]; d.Path != "/dev/video1" || d.Source != "camera:1" || !errors.Is(d.Err, fs.ErrPermission) || !strings.Contains(d.Err.Error(), "group video") {
		t.Errorf("got %+v", d)
	}
	one := []RateRange{{60, 60}, {30, 30}, {15, 15}}
	at := func(w, h int) FrameSize {
		return FrameSize{image.Pt(w, h), image.Pt(w, h), image.Pt(1, 1), one}
	}
	want := Device{Path: "/dev/video2", Source: "camera:2", Name: "Fake Cam", Driver: "fake", Bus: "usb-fake-1", Formats: []Format{
		{"YUYV", "YUYV 4:2:2", []FrameSize{{image.Pt(640, 480), image.Pt(640, 480), image.Pt(1, 1), []RateRange{{30, 30}}}}},
		{"MJPG", "Motion-JPEG", []FrameSize{at(64, 48), at(640, 480), at(1280, 720), at(1920, 1080)}},
	}}
	if got := fmt.Sprintf("%+v", all[1]); got != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %s\nwant %+v", got, want)
	}
	ranged := Format{"JPEG", "JPEG", []FrameSize{{image.Pt(32, 24), image.Pt(2592, 1944), image.Pt(2, 2), []RateRange{{1, 90}}}}}
	if got := all[2]; got.Name != "Odd? ?Cam" || fmt.Sprint(got.Formats) != fmt.Sprint([]Format{ranged}) {
		t.Errorf("got %+v, want %+v", got, ranged)
	}
	if f := all[3].Formats; len(f) != maxFormats || len(f[1].Sizes) != maxSizes || len(f[1].Sizes[0].Rates) != maxRates {
		t.Errorf("of an endless list: %d formats, %d sizes", len(f), len(f[1].Sizes))
	}
	for _, c := range sys.cams {
		released(t, c)
	}
}

// Which camera is said once, and grammatically.
func TestCameraErrorsRead(t *testing.T) {
	c := &camera{name: "camera:0", path: "/dev/video0"}
	opening := func(err error) error { return &fs.PathError{Op: "open", Path: c.path, Err: err} }
	there := []Device{{Source: "camera:1"}, {Source: "camera:2", Name: "Cam"}}
	for want, err := range map[string]error{
		"capture: camera:0 (/dev/video0) cannot be opened: is a directory":                                            c.explain(opening(unix.EISDIR)),
		"capture: camera:0 (/dev/video0) is not there: no such file or directory":                                     c.explain(opening(unix.ENOENT)),
		"capture: camera:0 (/dev/video0) is not there: no such file or directory; there are camera:1, camera:2 (Cam)": c.which(c.explain(opening(unix.ENOENT)), there),
		"capture: camera:0 (/dev/video0) is not there: no such file or directory; there is camera:1":                  c.which(c.explain(opening(unix.ENOENT)), there[:1]),
		"capture: /dev/v4l/by-id/50%d fails: input/output error (it has no format at all)":                            (&camera{name: "/dev/v4l/by-id/50%d"}).explain(fmt.Errorf("fails: %w (it has %s)", unix.EIO, brief(nil))),
		"capture: camera:0 (/dev/video0) out of memory (it has no format at all)":                                     c.explain(fmt.Errorf("%w (it has %s)", errorf("%w", errors.New("out of memory")), brief(nil))),
	} {
		if err.Error() != want {
			t.Errorf("got  %v\nwant %v", err, want)
		}
	}
	if err := c.explain(opening(unix.ENOENT)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not match fs.ErrNotExist", err)
	}
}
