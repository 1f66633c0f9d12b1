//go:build cgo && !nocv

package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// video plays a file that OpenCV can read.
type video struct {
	*counters
	desc Info
	feed feed[*frameMats]

	// Of the feed's goroutine:
	path  string // or its address, for people: fit to be shown
	open  func() (*gocv.VideoCapture, error)
	size  image.Point // zero: as it comes
	loop  bool
	log   *slog.Logger
	file  *gocv.VideoCapture
	times mediaClock
	mats  []*frameMats
}

// frameMats are a picture as it was read and, if need be, scaled.
type frameMats struct {
	read, scaled gocv.Mat
	shown        *gocv.Mat // one of the two
}

// openVideoFile gives errors whose subject is the file.
func openVideoFile(cfg Config, path string) (stream.Source, error) {
	open := func() (*gocv.VideoCapture, error) { return openCapture(path) }
	file, err := open()
	if err != nil {
		return nil, err
	}
	return playVideo(cfg, new(counters), quoted(path), named(filepath.Base(path)), file, open)
}

// playVideo takes file over, whose subject its errors have. open opens it anew.
func playVideo(cfg Config, count *counters, path, name string, file *gocv.VideoCapture, open func() (*gocv.VideoCapture, error)) (stream.Source, error) {
	v := &video{
		counters: count, path: path, open: open, size: cfg.Size, loop: cfg.Loop, log: cfg.Log, file: file,
	}
	v.times = newMediaClock(file.Get(gocv.VideoCaptureFPS), file.Get(gocv.VideoCaptureFrameCount))
	v.desc = Info{
		Name: name,
		Size: image.Pt(int(file.Get(gocv.VideoCaptureFrameWidth)), int(file.Get(gocv.VideoCaptureFrameHeight))),
		FPS:  v.times.fps,
	}
	if cfg.FPS > 0 && cfg.FPS < v.desc.FPS {
		v.desc.FPS = cfg.FPS
	}
	// OpenCV has read the file's header only. Nothing is decoded yet.
	if err := checkSize(v.desc.Size, 1, codec.MaxSide); err != nil {
		file.Close()
		return nil, fmt.Errorf("has pictures of %w", err)
	}
	v.feed = feed[*frameMats]{read: v.fill, close: v.free, fps: v.times.fps, thin: cfg.FPS, count: v.counters}
	v.feed.start(func(it *item[*frameMats]) {
		it.data = &frameMats{read: gocv.NewMat(), scaled: gocv.NewMat()}
		v.mats = append(v.mats, it.data)
	})
	return newEncoder(v, cfg, cfg.Size)
}

// quieten keeps OpenCV and FFmpeg from writing to stderr what is said better here.
// The variables are read when the first file is opened (cap_ffmpeg_impl.hpp,
// videoio_registry.cpp of OpenCV 4.6); what the user has set stays. OpenCV's own
// log level is read before main, so its two chattiest backends are left out instead,
// GStreamer and the one for numbered images: FFmpeg opens what they would.
var quieten = sync.OnceFunc(func() {
	for _, v := range [][2]string{
		{"OPENCV_FFMPEG_LOGLEVEL", "-8"}, // AV_LOG_QUIET
		{"OPENCV_VIDEOIO_PRIORITY_GSTREAMER", "0"},
		{"OPENCV_VIDEOIO_PRIORITY_CV_IMAGES", "0"},
	} {
		if _, set := os.LookupEnv(v[0]); !set {
			os.Setenv(v[0], v[1])
		}
	}
})

// openCapture asks FFmpeg first: it knows the most formats and is the one that gives
// every picture's time. Without it, whatever else OpenCV has.
func openCapture(path string) (*gocv.VideoCapture, error) {
	quieten()
	url := path
	if strings.Contains(path, ":") {
		url = "file:" + path // or FFmpeg takes what stands before the colon for a protocol
	}
	file, err := gocv.VideoCaptureFileWithAPI(url, gocv.VideoCaptureFFmpeg)
	if err != nil {
		file.Close()
		file, err = gocv.VideoCaptureFileWithAPI(path, gocv.VideoCaptureAny)
	}
	if err != nil {
		file.Close()
		return nil, errors.New("is no video that OpenCV can read: it may be another kind of file, or cut off or damaged at its start or its index")
	}
	return file, nil
}

// fill reads the next picture, scaled if the configuration asks for it.
func (v *video) fill(it *item[*frameMats]) error {
	m := it.data
	for !v.file.Read(&m.read) || m.read.Empty() {
		if err := v.ended(); err != nil {
			return err
		}
	}
	it.at, it.timed = v.times.next(v.file.Get(gocv.VideoCapturePosMsec)), true
	if m.read.Type() != gocv.MatTypeCV8UC3 {
		return fmt.Errorf("capture: %s: OpenCV gives pictures of type %v instead of BGR", v.path, m.read.Type())
	}
	m.fit(v.size)
	return nil
}

// fit scales the picture to size, unless that is zero.
func (m *frameMats) fit(size image.Point) {
	m.shown = &m.read
	if have := image.Pt(m.read.Cols(), m.read.Rows()); size != (image.Point{}) && size != have {
		how := gocv.InterpolationLinear
		if size.X < have.X && size.Y < have.Y {
			how = gocv.InterpolationArea
		}
		gocv.Resize(m.read, &m.scaled, size, 0, 0, how)
		m.shown = &m.scaled
	}
}

// view is the picture without a copy.
func (m *frameMats) view() (*codec.BGR, error) {
	pix, err := m.shown.DataPtrUint8()
	if err != nil {
		return nil, err
	}
	r := image.Rect(0, 0, m.shown.Cols(), m.shown.Rows())
	return &codec.BGR{Pix: pix, Stride: 3 * r.Dx(), Rect: r}, nil
}

// freeMats frees what the items of a feed hold.
func freeMats(mats []*frameMats) {
	for _, m := range mats {
		m.read.Close()
		m.scaled.Close()
	}
}

// ended begins the file anew, by opening it: seeking to its start loses the first
// pictures of an MPEG transport stream and all of a raw H.264 one. It returns what
// ends the source otherwise.
func (v *video) ended() error {
	cut := v.times.cut(v.path)
	switch {
	case v.times.n == 0:
		return fmt.Errorf("capture: %s holds no picture that can be decoded: %w", v.path, io.ErrUnexpectedEOF)
	case !v.loop:
		return cmp.Or(cut, io.EOF)
	case cut != nil && !v.times.looped:
		v.log.Warn("video is incomplete", slog.Any("err", cut))
	}
	file, err := v.open()
	if err != nil {
		return errorf("%s %w", v.path, err)
	}
	v.file.Close()
	v.file = file
	v.times.restart()
	return nil
}

// next implements pictures. The picture is OpenCV's memory, which stays where it is
// until the item is free again.
func (v *video) next(ctx context.Context) (picture, error) {
	it, err := v.feed.next(ctx)
	if err != nil {
		return picture{}, err
	}
	img, err := it.data.view()
	if err != nil {
		return picture{}, fmt.Errorf("capture: %s: %w", v.path, err)
	}
	return picture{img, it.id, it.captured}, nil
}

// Close implements pictures.
func (v *video) Close() error {
	v.feed.stop()
	return nil
}

func (v *video) free() {
	v.file.Close()
	freeMats(v.mats)
}

// Info implements [Reporter].
func (v *video) Info() Info { return v.desc }
