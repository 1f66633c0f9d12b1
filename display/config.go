package display

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
)

// Defaults of Config.
const (
	DefaultKind    = "auto"
	DefaultWebAddr = "127.0.0.1:8080"
	DefaultFormat  = "mjpeg"
	DefaultFPS     = 30
)

var (
	kinds   = []string{"auto", "window", "web", "stdout", "none"} // and images:DIR
	formats = []string{"mjpeg", "y4m", "bgr24"}
)

// imagesPrefix stands before the directory in Kind.
const imagesPrefix = "images:"

// Config says what to open. The zero value is "auto".
type Config struct {
	// Kind is "window", "web", "stdout", "images:DIR", "none", or "auto" (also ""):
	// the window if this build has OpenCV and a display answers, else the page.
	// A WebAddr given with "auto" asks for the page.
	Kind string
	// Title names the window and the page; "" = "framegram".
	Title string
	// Log is told what happens while frames flow, at most once a second for each
	// thing; nil discards.
	Log *slog.Logger
	// Notify is given lines for the user: while Open runs, such as the page's address;
	// later, from any goroutine, where the window has saved a picture. nil discards.
	Notify func(line string)

	// Overlay gives the lines of figures that the window draws over its picture when
	// its user presses i: a few, of some 40 characters. It is called from the goroutine
	// that calls Write, at most four times a second and only while they are shown, and
	// must be quick. nil = the window tells what it knows itself.
	Overlay func() []string
	// Stalled says in one sentence why no frame becomes complete although datagrams come; empty = they do, or nothing
	// comes. The window shows it where its picture is missing. It is called like Overlay, but only while no frame comes;
	// nil = that is never known.
	Stalled func() string
	// SnapshotDir is where the window saves the picture when its user presses s, made
	// when it is not there; "" = the current directory.
	SnapshotDir string

	// WebAddr is where the page is served: HOST:PORT, HOST (port 8080), PORT (on the
	// loopback interface) or :PORT (on every interface, for the whole network to
	// see). "" = DefaultWebAddr, or a free port of the loopback interface when that
	// one is taken.
	WebAddr string
	// Stats gives the figures that /stats serves under "stream", anything that
	// encodes as JSON. The page shows them all, and two of them large: the number
	// "latency_ms" and the object "lost" (frames by reason). While no frame comes it
	// shows the text "stalled" (as of Stalled) in place of the picture. It is called
	// from any goroutine, also several at a time; nil = none.
	Stats func() any

	// Stdout is where "stdout" writes; nil = os.Stdout.
	Stdout io.Writer
	// Format is what "stdout" writes: "mjpeg" (also "": the JPEGs one after the
	// other), "y4m" (YUV4MPEG2, full range) or "bgr24" (raw rows of B, G, R bytes).
	Format string
	// FPS is the frame rate in the header of "y4m", frames per second, 0 < FPS <=
	// 1000; 0 = 30. Frames are written as they come, whatever it says.
	FPS float64
}

// ConfigError reports a value of a Config that cannot be used. Field is the name of
// the command-line flag: "display", "format", "fps" or "web".
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "display: " + e.Field + " " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

func bad(field, format string, a ...any) error {
	return &ConfigError{field, fmt.Errorf(format, a...)}
}

// Validate reports a value out of its range as a *ConfigError. It opens and tries nothing, so that
// wrong usage can be told from a display that fails.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

func (c Config) withDefaults() (Config, error) {
	c.Kind, c.Title = cmp.Or(c.Kind, DefaultKind), cmp.Or(c.Title, "framegram")
	c.Format, c.FPS = cmp.Or(c.Format, DefaultFormat), cmp.Or(c.FPS, DefaultFPS)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Notify == nil {
		c.Notify = func(string) {}
	}
	if c.Stalled == nil {
		c.Stalled = func() string { return "" }
	}
	if c.Stdout == nil {
		c.Stdout = os.Stdout
	}
	dir, images := strings.CutPrefix(c.Kind, imagesPrefix)
	switch {
	case images && dir == "":
		return c, bad("display", "is %q: say which directory, as in images:recording", c.Kind)
	case !images && !slices.Contains(kinds, c.Kind):
		return c, bad("display", "is %q, want auto, window, web, stdout, images:DIR or none", c.Kind)
	case !slices.Contains(formats, c.Format):
		return c, bad("format", "is %q, want mjpeg, y4m or bgr24", c.Format)
	case math.IsNaN(c.FPS) || c.FPS <= 0 || c.FPS > 1000:
		return c, bad("fps", "is %v, want more than 0 and at most 1000", c.FPS)
	}
	if _, err := parseWebAddr(c.WebAddr); err != nil {
		return c, err
	}
	return c, nil
}
