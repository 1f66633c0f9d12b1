package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

func openCamera(ctx context.Context, cfg Config, source string) (stream.Source, error) {
	return openCameraOf(ctx, kernel{}, cfg, source)
}

func openCameraOf(ctx context.Context, sys v4l2Sys, cfg Config, source string) (stream.Source, error) {
	c, err := newCamera(cfg, source)
	if err != nil {
		return nil, err
	}
	s, err := openAgain(ctx, cfg, c.name, func(_ context.Context, count *counters) (stream.Source, error) {
		return c.openNode(sys, count)
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoCapture) {
		there, listErr := abandonable(ctx, func(ctx context.Context) ([]Device, error) { return devicesOf(ctx, sys) }, nil)
		if listErr == nil {
			err = c.which(err, there)
		}
	}
	return s, err
}

var errNoCapture = errors.New("is no video capture device; a camera may have a second node, for metadata")

// openNode opens the device for its JPEGs, or leaves it to OpenCV.
func (c *camera) openNode(sys v4l2Sys, count *counters) (stream.Source, error) {
	node, err := sys.open(c.path)
	if err != nil {
		return nil, c.explain(err)
	}
	card, formats, codes, err := describeNode(node)
	if err != nil {
		node.close()
		return nil, c.explain(err)
	}
	i := slices.IndexFunc(codes, func(f fourcc) bool { return f == fourccMJPG || f == fourccJPEG })
	if i < 0 {
		node.close()
		if len(formats) == 0 {
			return nil, c.errorf("offers no format in which it gives pictures")
		}
		return openCameraCV(c, count, card, formats)
	}
	s, err := c.stream(node, count, card, codes[i], formats[i])
	var config *ConfigError
	switch {
	case errors.Is(err, errNoJPEG):
		return openCameraCV(c, count, card, formats)
	case err == nil, errors.As(err, &config):
		return s, err
	}
	return nil, c.explain(fmt.Errorf("%w (it has %s)", err, brief(formats)))
}

// explain says what to do about an error of the system.
func (c *camera) explain(err error) error {
	var at *fs.PathError
	opening := errors.As(err, &at) && at.Path == c.path
	if opening { // errorf says the path
		err = at.Err
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return c.errorf("is not there: %w", absent{err})
	case errors.Is(err, unix.EBUSY):
		return c.errorf("is in use by another program; fuser -v %s says which: %w", c.path, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return c.errorf("may not be opened: the user is probably not in the group video (sudo usermod -aG video NAME, then log in again): %w", err)
	case errors.Is(err, unix.ENOSPC):
		return c.errorf("finds no room on its USB bus: another camera may share it, and a smaller --size or --fps needs less: %w", err)
	case errors.Is(err, unix.ENOTTY):
		return c.errorf("is no camera: the device does not know V4L2: %w", err)
	}
	if opening {
		return c.errorf("cannot be opened: %w", err)
	}
	return c.errorf("%w", err)
}

// absent is an error that matches fs.ErrNotExist, as ENXIO and ENODEV do not.
type absent struct{ error }

func (a absent) Is(target error) bool { return target == fs.ErrNotExist }
func (a absent) Unwrap() error        { return a.error }

// stream starts the camera with one of its formats. It takes node over.
func (c *camera) stream(node v4l2Node, count *counters, card string, code fourcc, format Format) (stream.Source, error) {
	asked := pickMode(format.Sizes, c.cfg.Size, c.cfg.FPS)
	got, err := setMode(node, code, asked)
	if err != nil {
		node.close()
		return nil, err
	}
	v := &v4l2Stream{
		jpegs: &jpegs{counters: count, info: c.info(card, format.FourCC, got), log: c.cfg.Log},
		node:  node, max: c.cfg.MaxFrame,
	}
	if err := v.begin(); err != nil {
		v.stop()
		return nil, err
	}
	c.granted(format.FourCC, asked, got)
	cfg := c.cfg
	if cfg.Size == got.size {
		cfg.Size = image.Point{} // untouched
	}
	return jpegSource(v.start(cfg.FPS), cfg)
}

// setMode asks for a mode and returns what the driver made of it.
func setMode(node v4l2Node, code fourcc, want mode) (got mode, err error) {
	f := v4l2Format{typ: bufVideoCapture}
	f.pix = v4l2PixFormat{width: uint32(want.size.X), height: uint32(want.size.Y), pixelFormat: code}
	if err := node.ioctl(vidiocSFmt, unsafe.Pointer(&f)); err != nil {
		return got, fmt.Errorf("does not take %v of %v: %w", code, want, err)
	}
	if f.pix.pixelFormat != code {
		return got, fmt.Errorf("%w: asked for %v it gives %v", errNoJPEG, code, f.pix.pixelFormat)
	}
	if f.pix.width > codec.MaxSide || f.pix.height > codec.MaxSide {
		return got, fmt.Errorf("grants pictures of %dx%d pixels", f.pix.width, f.pix.height)
	}
	got.size = image.Pt(int(f.pix.width), int(f.pix.height))
	if err := checkSize(got.size, 1, codec.MaxSide); err != nil {
		return got, fmt.Errorf("grants pictures of %w", err)
	}
	// A driver without a rate to set is asked for the one it has.
	p := v4l2StreamParm{typ: bufVideoCapture, timePerFrame: interval(want.fps)}
	if node.ioctl(vidiocSParm, unsafe.Pointer(&p)) != nil {
		p = v4l2StreamParm{typ: bufVideoCapture}
		if node.ioctl(vidiocGParm, unsafe.Pointer(&p)) != nil {
			return got, nil
		}
	}
	if fps := p.timePerFrame.rate(); fps > 0 && fps <= maxFPS {
		got.fps = fps
	}
	return got, nil
}

// rate turns an interval into pictures a second, 0 if it is none.
func (f v4l2Fract) rate() float64 {
	if f.num == 0 || f.den == 0 {
		return 0
	}
	return float64(f.den) / float64(f.num)
}

func interval(fps float64) v4l2Fract {
	if fps == math.Trunc(fps) {
		return v4l2Fract{1, uint32(fps)}
	}
	return v4l2Fract{1000, uint32(math.Round(fps * 1000))}
}

// cString is a driver's text.
func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return printable(s)
}
