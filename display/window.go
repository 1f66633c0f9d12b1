//go:build cgo && !nocv

package display

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// window shows the frames in a window of OpenCV's highgui. Everything highgui does,
// answering its user included, it does in WaitKey, on the one thread it began on.
type window struct {
	win     *gocv.Window
	title   string
	log     *slog.Logger
	said    seldom
	decoder *codec.Decoder
	mat     gocv.Mat    // pictures are decoded straight into it
	pix     []byte      // mat's memory
	size    image.Point // mat's, 0,0 before the first picture

	answered time.Time // WaitKey was called
	came     time.Time // the newest frame
	quiet    bool      // and the title says that it was long ago

	shown, undecodable atomic.Uint64
}

const (
	pollEvery  = 15 * time.Millisecond // a key pressed feels immediate, and WaitKey takes 2 ms
	quietAfter = 2 * time.Second       // without a frame

	keyEsc = 27
)

// maxWindow is the size to which a window first opens, in pixels: it fits most
// screens, and can be changed.
var maxWindow = image.Pt(1280, 720)

func openWindow(cfg Config) (stream.Sink, error) {
	if why := windowMissing(cfg.Kind == "window"); why != "" {
		return nil, fmt.Errorf("display: no window can be opened: %s: use the page instead (--display web)", why)
	}
	hush()
	d, err := codec.NewDecoder()
	if err != nil {
		return nil, fmt.Errorf("display: %w", err)
	}
	w := &window{title: cfg.Title, log: cfg.Log, decoder: d, mat: gocv.NewMat(), came: time.Now()}
	w.win = newWindow(cfg.Title)
	w.wait()
	return w, nil
}

// hush keeps the toolkit below highgui from talking to our user about its own
// concerns. Who wants to hear it sets the variables.
func hush() {
	for name, value := range map[string]string{
		"QT_LOGGING_RULES": "*.warning=false;*.info=false;*.debug=false",
		"NO_AT_BRIDGE":     "1", // GTK
	} {
		if _, set := os.LookupEnv(name); !set {
			os.Setenv(name, value)
		}
	}
}

// wait shows what stands in the window until the first picture comes.
func (w *window) wait() {
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(16, 13, 11, 0), 360, 640, gocv.MatTypeCV8UC3)
	defer m.Close()
	text := "waiting for the sender"
	size := gocv.GetTextSize(text, gocv.FontHersheyDuplex, 0.7, 1)
	gocv.PutText(&m, text, image.Pt((640-size.X)/2, 185), gocv.FontHersheyDuplex, 0.7, color.RGBA{R: 139, G: 150, B: 165}, 1)
	w.win.IMShow(m)
	w.win.ResizeWindow(640, 360)
	w.answer()
}

func (w *window) Write(_ context.Context, f *stream.Frame) error {
	w.came = time.Now()
	if err := w.decode(f.JPEG); err != nil {
		w.undecodable.Add(1)
		if w.said.now() {
			w.log.Warn("frame not decoded", "error", err, "frames_so_far", w.undecodable.Load())
		}
		return w.answer()
	}
	if w.closed() { // showing a picture would open it again
		return stream.ErrStop
	}
	w.win.IMShow(w.mat)
	if w.shown.Add(1) == 1 {
		s := fit(w.size, maxWindow)
		w.win.ResizeWindow(s.X, s.Y)
	}
	if w.quiet {
		w.quiet = false
		w.win.SetWindowTitle(w.title)
	}
	return w.answer()
}

func (w *window) decode(jpeg []byte) error {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return err
	}
	if size := image.Pt(h.Width, h.Height); size != w.size {
		w.mat.Close()
		w.mat, w.size = gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC3), image.Point{}
		if w.pix, err = w.mat.DataPtrUint8(); err != nil {
			return fmt.Errorf("display: %w", err)
		}
		w.size = size
	}
	return w.decoder.DecodeBGR(&codec.BGR{Pix: w.pix, Stride: 3 * w.size.X, Rect: image.Rectangle{Max: w.size}}, jpeg)
}

// PollEvery implements [stream.Poller].
func (w *window) PollEvery() time.Duration { return pollEvery }

// Poll implements [stream.Poller].
func (w *window) Poll(context.Context) error {
	if !w.quiet && w.shown.Load() > 0 && time.Since(w.came) > quietAfter {
		w.quiet = true
		w.win.SetWindowTitle(w.title + " (no signal)")
	}
	if time.Since(w.answered) < pollEvery/2 {
		return nil // Write has just done it
	}
	return w.answer()
}

// answer lets highgui draw and listen. q, Esc and closing the window end the show.
func (w *window) answer() error {
	key := w.win.WaitKey(1)
	w.answered = time.Now()
	if key >= 0 {
		switch key & 0xFF { // above are modifiers, with some toolkits
		case 'q', 'Q', keyEsc:
			return stream.ErrStop
		case 'f', 'F':
			w.toggleFull()
		}
	}
	if w.closed() {
		return stream.ErrStop
	}
	return nil
}

func (w *window) toggleFull() {
	to := gocv.WindowFullscreen
	if w.win.GetWindowProperty(gocv.WindowPropertyFullscreen) > 0 {
		to = gocv.WindowNormal
	}
	w.win.SetWindowProperty(gocv.WindowPropertyFullscreen, to)
}

func (w *window) closed() bool { return w.win.GetWindowProperty(gocv.WindowPropertyVisible) < 1 }

// fit is size, scaled down where it must be to lie within bound.
func fit(size, bound image.Point) image.Point {
	if size.X*bound.Y > bound.X*size.Y { // wider
		if size.X > bound.X {
			return image.Pt(bound.X, max(1, size.Y*bound.X/size.X))
		}
	} else if size.Y > bound.Y {
		return image.Pt(max(1, size.X*bound.Y/size.Y), bound.Y)
	}
	return size
}

// Stats implements Reporter.
func (w *window) Stats() Stats {
	return Stats{Shown: w.shown.Load(), Undecodable: w.undecodable.Load()}
}

func (w *window) Close() error {
	w.win.Close() // and unlocks the thread
	w.mat.Close()
	return w.decoder.Close()
}
