package capture

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/framegram/framegram/codec"
)

// ConfigError reports a value of a Config that cannot be used. Field is the name of
// the command-line flag: "source", "size", "fps", "quality", "format", "loop",
// "timecode" or "max-frame".
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "capture: " + e.Field + " " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// ErrNoOpenCV is what opening a video file gives in a build without OpenCV.
var ErrNoOpenCV = errors.New("this build has no OpenCV")

const kinds = "want test, images:DIR, images:GLOB, - (standard input), camera:N, rtsp://, http://, mjpeg+http:// or the path of a video file"

func (c Config) withDefaults() (Config, error) {
	c.Source = cmp.Or(c.Source, "test")
	c.MaxFrame = cmp.Or(c.MaxFrame, DefaultMaxFrame)
	if c.Stdin == nil {
		c.Stdin = os.Stdin
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	fail := func(field, format string, a ...any) (Config, error) {
		return c, &ConfigError{field, fmt.Errorf(format, a...)}
	}
	if c.Size != (image.Point{}) {
		if err := checkSize(c.Size, minSide, maxSide); err != nil {
			return fail("size", "is %w", err)
		}
	}
	if c.FPS != 0 && !(c.FPS > 0 && c.FPS <= maxFPS) { // NaN fails both comparisons
		return fail("fps", "is %v, want more than 0 and at most %d", c.FPS, maxFPS)
	}
	if c.Quality != 0 && (c.Quality < 1 || c.Quality > 100) {
		return fail("quality", "is %d, want 1..100", c.Quality)
	}
	if c.MaxFrame < 0 {
		return fail("max-frame", "is %d, want more than 0 bytes", c.MaxFrame)
	}
	switch c.Format {
	case "", "mjpeg", "y4m":
	case "bgr24":
		if c.Size == (image.Point{}) {
			return fail("format", "bgr24 has no header: say the size of its pictures (--size WxH)")
		}
	default:
		return fail("format", "is %q, want mjpeg, y4m or bgr24", c.Format)
	}
	return c, nil
}

// checkSize bounds a picture before anything is allocated for it. Sides are from low
// to high pixels.
func checkSize(size image.Point, low, high int) error {
	w, h := size.X, size.Y
	if w < low || h < low || w > high || h > high {
		return fmt.Errorf("%dx%d, want %d..%d pixels each side", w, h, low, high)
	}
	if w*h > codec.MaxPixels {
		return fmt.Errorf("%dx%d, which is %d pixels, over the limit of %d", w, h, w*h, codec.MaxPixels)
	}
	return nil
}

// splitSource tells the kinds apart. Everything it does not know is a path; so a
// file named "test" is opened as ./test.
func splitSource(s string) (kind, arg string) {
	if s == "test" || s == "-" {
		return s, ""
	}
	if arg, ok := strings.CutPrefix(s, "images:"); ok {
		return "images", arg
	}
	if strings.HasPrefix(s, "camera:") || isVideoNode(s) {
		return "camera", s
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok && slices.Contains(schemes, strings.ToLower(scheme)) {
		return "address", s
	}
	return "file", s
}
