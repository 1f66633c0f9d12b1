package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"strconv"
	"strings"
)

// camera is which camera to open, and how.
type camera struct {
	cfg   Config
	name  string // as the user said it
	path  string // such as /dev/video0; on other systems than Linux it is empty
	index int    // of camera:N; -1 for a path

	said string // the line of the log about what was granted
}

// maxCamera bounds the number in camera:N: the kernel's minor numbers end there.
const maxCamera = 255

func newCamera(cfg Config, source string) (*camera, error) {
	c := &camera{cfg: cfg, name: source, path: source, index: -1}
	text, short := strings.CutPrefix(source, "camera:")
	if !short {
		return c, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n > maxCamera {
		return nil, &ConfigError{"source", fmt.Errorf("is %q, want camera:N with the camera's number, 0..%d, such as camera:0", source, maxCamera)}
	}
	c.index, c.path = int(n), fmt.Sprintf("/dev/video%d", n)
	return c, nil
}

// info describes the camera with what it granted.
func (c *camera) info(called, format string, got mode) Info {
	name := c.name + " (" + format + ")"
	if called != "" {
		name = c.name + " (" + called + ", " + format + ")"
	}
	fps := got.fps
	if c.cfg.FPS > 0 && (fps == 0 || c.cfg.FPS < fps) {
		fps = c.cfg.FPS
	}
	return Info{Name: name, Size: got.size, FPS: fps, Live: true}
}

// granted says in one line what the camera gives, and warns if that is not what was
// asked for. It is said again only if it changes.
func (c *camera) granted(format string, asked, got mode) {
	line := fmt.Sprint(format, asked, got)
	if line == c.said {
		return
	}
	c.said = line
	level, text := slog.LevelInfo, "camera opened"
	attrs := []any{slog.String("camera", c.name), slog.String("format", format), slog.String("granted", got.String())}
	if c.cfg.Size != (image.Point{}) && c.cfg.Size != got.size || c.cfg.FPS > 0 && got.fps > 0 && !enough(got.fps, c.cfg.FPS) {
		level, text = slog.LevelWarn, "camera opened, with something else than asked for"
		attrs = append(attrs, slog.String("asked", mode{c.cfg.Size, c.cfg.FPS}.String()))
	} else if asked != got {
		attrs = append(attrs, slog.String("asked", asked.String()))
	}
	if c.cfg.Size != (image.Point{}) && c.cfg.Size != got.size {
		attrs = append(attrs, slog.String("scaled", fmt.Sprintf("to %dx%d, which costs decoding and encoding every picture", c.cfg.Size.X, c.cfg.Size.Y)))
	}
	c.cfg.Log.Log(context.Background(), level, text, attrs...)
}

func (m mode) String() string {
	s := "any size"
	if m.size != (image.Point{}) {
		s = fmt.Sprintf("%dx%d", m.size.X, m.size.Y)
	}
	if m.fps > 0 {
		s += fmt.Sprintf(" at %.4g fps", m.fps)
	}
	return s
}

// errorf says which camera an error is about.
func (c *camera) errorf(format string, a ...any) error {
	name := c.name
	if c.path != "" && c.path != c.name {
		name += " (" + c.path + ")"
	}
	return errorf("%s "+format, append([]any{name}, a...)...)
}

// which adds to an error about a camera that is not there which ones are.
func (c *camera) which(err error, there []Device) error {
	if len(there) == 0 {
		return fmt.Errorf("%w; there is no camera", err)
	}
	var names []string
	for _, d := range there {
		if d.Name != "" {
			names = append(names, d.Source+" ("+d.Name+")")
		} else {
			names = append(names, d.Source)
		}
	}
	are := "is"
	if len(names) > 1 {
		are = "are"
	}
	return fmt.Errorf("%w; there %s %s", err, are, strings.Join(names, ", "))
}

// errNoJPEG reports a camera that gives no JPEGs, so that OpenCV has to convert what
// it gives.
var errNoJPEG = errors.New("gives no Motion-JPEG")
