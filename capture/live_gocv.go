//go:build cgo && !nocv

package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path"
	"runtime"
	"sync"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// live is a camera or a network stream that OpenCV reads. A read of OpenCV cannot be
// interrupted: FFmpeg gives up by itself (see netOptions), a driver may hang.
type live struct {
	*counters
	desc Info
	feed feed[*frameMats]

	// Of the feed's goroutine:
	size image.Point // zero: as it comes
	cap  *gocv.VideoCapture
	mats []*frameMats
}

// startLive takes cap over.
func startLive(cfg Config, count *counters, cap *gocv.VideoCapture, info Info) (stream.Source, error) {
	l := &live{counters: count, desc: info, size: cfg.Size, cap: cap}
	if err := checkSize(info.Size, 1, codec.MaxSide); err != nil && info.Size != (image.Point{}) {
		cap.Close()
		return nil, fmt.Errorf("gives pictures of %w", err)
	}
	l.feed = feed[*frameMats]{
		read: l.fill, close: l.free, live: true, fps: info.FPS, thin: cfg.FPS, count: count, patience: stallAfter,
	}
	l.feed.start(func(it *item[*frameMats]) {
		it.data = &frameMats{read: gocv.NewMat(), scaled: gocv.NewMat()}
		l.mats = append(l.mats, it.data)
	})
	return newEncoder(l, cfg, cfg.Size)
}

func (l *live) fill(it *item[*frameMats]) error {
	m := it.data
	if !l.cap.Read(&m.read) || m.read.Empty() {
		return errors.New("no more pictures come")
	}
	if m.read.Type() != gocv.MatTypeCV8UC3 {
		return fmt.Errorf("OpenCV gives pictures of type %v instead of BGR", m.read.Type())
	}
	m.fit(l.size)
	return nil
}

// next implements pictures.
func (l *live) next(ctx context.Context) (picture, error) {
	it, err := l.feed.next(ctx)
	if err != nil {
		return picture{}, err
	}
	img, err := it.data.view()
	if err != nil {
		return picture{}, err
	}
	return picture{img, it.id, it.captured}, nil
}

// Close implements pictures.
func (l *live) Close() error {
	l.feed.stop()
	return nil
}

func (l *live) free() {
	l.cap.Close()
	freeMats(l.mats)
}

// Info implements [Reporter].
func (l *live) Info() Info { return l.desc }

// asks are what OpenCV says of a capture, 0 where it says nothing sound.
func asks(cap *gocv.VideoCapture) mode {
	m := mode{size: image.Pt(int(cap.Get(gocv.VideoCaptureFrameWidth)), int(cap.Get(gocv.VideoCaptureFrameHeight)))}
	if fps := cap.Get(gocv.VideoCaptureFPS); fps >= 0.1 && fps <= maxFPS { // false for NaN
		m.fps = fps
	}
	return m
}

// openCameraCV opens a camera of which the JPEGs cannot be had. On Linux OpenCV is
// told to take V4L2 (asked openly it tries GStreamer first), elsewhere it takes what
// the system has.
func openCameraCV(c *camera, count *counters, called string, formats []Format) (stream.Source, error) {
	quieten()
	var cap *gocv.VideoCapture
	var err error
	if runtime.GOOS == "linux" {
		cap, err = gocv.OpenVideoCaptureWithAPI(c.path, gocv.VideoCaptureV4L2)
	} else {
		cap, err = gocv.VideoCaptureDeviceWithAPI(c.index, gocv.VideoCaptureAny)
	}
	if err != nil {
		cap.Close()
		return nil, c.errorf("cannot be opened by OpenCV: it is absent, in use, or has no format that OpenCV converts (it has %s)", brief(formats))
	}
	asked := pickMode(allSizes(formats), c.cfg.Size, c.cfg.FPS)
	cap.Set(gocv.VideoCaptureFOURCC, cap.ToCodec("MJPG"))
	cap.Set(gocv.VideoCaptureFrameWidth, float64(asked.size.X))
	cap.Set(gocv.VideoCaptureFrameHeight, float64(asked.size.Y))
	cap.Set(gocv.VideoCaptureFPS, asked.fps)
	got, format := asks(cap), cap.CodecString()
	s, err := startLive(c.cfg, count, cap, c.info(called, "through OpenCV", got))
	if err != nil {
		return nil, c.errorf("%w", err)
	}
	c.granted(format, asked, got)
	return s, nil
}

// allSizes is what a camera has in any format.
func allSizes(formats []Format) (all []FrameSize) {
	for _, f := range formats {
		all = append(all, f.Sizes...)
	}
	return all
}

// netOptions are FFmpeg's, which OpenCV reads from the environment: RTSP over TCP, as
// over UDP every lost packet smears the picture until the next key frame, and waiting
// for packets out of order would only delay it; 5 s (in microseconds) without a byte
// end the reading (ffmpeg-protocols(1), ffmpeg-formats(1)). What the user has set
// stays. fflags=nobuffer is left out: with it OpenCV 4.6 finds no picture in an MP4
// file, and what FFmpeg has buffered is drained at once anyway.
var netOptions = sync.OnceFunc(func() {
	const name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, "rtsp_transport;tcp|max_delay;0|timeout;5000000|rw_timeout;5000000")
	}
})

// openAddressCV opens a network stream. One that has an end is a file, which is
// played as one on disk is.
func openAddressCV(a address, cfg Config, count *counters) (stream.Source, error) {
	quieten()
	netOptions()
	open := func() (*gocv.VideoCapture, error) {
		cap, err := gocv.VideoCaptureFileWithAPI(a.url.String(), gocv.VideoCaptureFFmpeg)
		if err != nil { // it says the password
			cap.Close()
			err = errNotVideo
		}
		return cap, err
	}
	cap, err := open()
	if err != nil {
		return nil, err
	}
	if cap.Get(gocv.VideoCaptureFrameCount) > 0 && a.url.Scheme != "rtsp" {
		s, err := playVideo(cfg, count, a.shown, path.Base(a.shown), cap, open)
		return s, a.about(err)
	}
	got := asks(cap)
	info := Info{Name: a.shown, Size: got.size, FPS: got.fps, Live: true}
	if cfg.FPS > 0 && (info.FPS == 0 || cfg.FPS < info.FPS) {
		info.FPS = cfg.FPS
	}
	s, err := startLive(cfg, count, cap, info)
	return s, a.about(err)
}

// about is errorf for an error whose subject is the address; nil stays nil.
func (a address) about(err error) error {
	var config *ConfigError
	if err == nil || errors.As(err, &config) {
		return err
	}
	return a.errorf("%w", err)
}
