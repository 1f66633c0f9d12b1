package capture

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"regexp"
	"strings"
	"unicode"
)

// Device is a camera, as [Devices] finds it.
type Device struct {
	Path    string   // such as "/dev/video0"; it is a Config.Source
	Source  string   // the short form, "camera:0"
	Name    string   // what its maker calls it
	Driver  string   // of the kernel, such as "uvcvideo"
	Bus     string   // where it is plugged in, such as "usb-0000:00:14.0-3"
	Formats []Format // in the driver's order

	// Err is why no more is known of it, such as a lack of permission. Then only Path
	// and Source are sure to be set.
	Err error
}

// Format is one way in which a camera gives pictures.
type Format struct {
	FourCC      string // four characters, "MJPG" is what framegram passes on untouched
	Description string // the driver's words
	Sizes       []FrameSize
}

// FrameSize is one size of a format, or a range of them.
type FrameSize struct {
	Min, Max image.Point // pixels; the same unless it is a range
	Step     image.Point // pixels, of a range; at least 1
	Rates    []RateRange // at size Max
}

// RateRange is in pictures a second; Min and Max are the same unless it is a range.
type RateRange struct{ Min, Max float64 }

// Devices lists the cameras of this machine, in natural order of their paths. What
// keeps one of them from being asked is its Device.Err; an error is for the whole. A
// system without such a list gives an error that matches errors.ErrUnsupported.
// When ctx is done the error is context.Cause(ctx), whatever a driver is doing.
func Devices(ctx context.Context) ([]Device, error) {
	return abandonable(ctx, listDevices, nil)
}

// Limits on what a driver may list: real ones have about 10 formats of 20 sizes.
const (
	maxDevices = 64
	maxFormats = 64
	maxSizes   = 128 // of a format
	maxRates   = 64  // of a size
)

// fourcc is a pixel format's code, the first character lowest.
type fourcc uint32

func (f fourcc) String() string {
	b := []byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)}
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return strings.TrimRight(string(b), " ")
}

// printable is a device's or a server's text, fit to be shown.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s[:min(len(s), 100)]))
}

func (s FrameSize) String() string {
	if s.Min == s.Max {
		return fmt.Sprintf("%dx%d", s.Max.X, s.Max.Y)
	}
	return fmt.Sprintf("%dx%d..%dx%d", s.Min.X, s.Min.Y, s.Max.X, s.Max.Y)
}

// brief is what a camera offers, in one line.
func brief(formats []Format) string {
	if len(formats) == 0 {
		return "no format at all"
	}
	var all []string
	for _, f := range formats {
		s := f.FourCC
		if d := f.Description; d != "" {
			s += " (" + d + ")"
		}
		if n := len(f.Sizes); n > 0 {
			s += fmt.Sprintf(" up to %v", f.Sizes[n-1])
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

var videoNode = regexp.MustCompile(`^/dev/(video[0-9]+|v4l/[^/]+/[^/]+)$`)

// isVideoNode reports whether a path is a camera's: /dev/videoN, or one of the names
// that udev gives it, which stay the same when it is plugged in elsewhere.
func isVideoNode(path string) bool { return videoNode.MatchString(path) }

// bySize orders sizes by their area.
func bySize(a, b FrameSize) int {
	return cmp.Or(cmp.Compare(a.Max.X*a.Max.Y, b.Max.X*b.Max.Y), cmp.Compare(a.Max.X, b.Max.X), cmp.Compare(a.Min.X, b.Min.X))
}

// byRate puts the highest first.
func byRate(a, b RateRange) int { return cmp.Or(cmp.Compare(b.Max, a.Max), cmp.Compare(b.Min, a.Min)) }
