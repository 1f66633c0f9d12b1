//go:build cgo && !nocv

package display

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// window shows the frames in a window of OpenCV's highgui. Everything highgui does,
// answering its user included, it does while waitKey is called, on the one thread it
// began on.
type window struct {
	win     *gocv.Window
	title   string // and highgui's name of the window
	log     *slog.Logger
	said    seldom
	overlay func() []string
	stalled func() string

	decoder *codec.Decoder
	picture gocv.Mat      // pictures are decoded straight into it
	pix     []byte        // its memory
	size    image.Point   // its size, 0,0 before the first picture
	spoilt  bool          // it is not held's: decoding another failed half-way
	held    *stream.Frame // the one shown; nil before the first
	newest  *stream.Frame // came while frozen; nil when none did

	canvas  canvas
	painted scene
	fresh   bool // the picture is not on the canvas yet

	answered time.Time // waitKey was called
	came     time.Time // the newest frame

	// What the user wants to see.
	frozen, figures, help bool
	before                image.Rectangle // its place before it took the screen by itself
	overlaid              string          // the overlay's text
	asked                 time.Time       // and when it was asked for
	why                   string          // what stalled said
	whyAsked              time.Time       // and when it was asked
	notice                string
	noticeEnds            time.Time
	snapshots             snapshots

	shown, undecodable atomic.Uint64
}

// pollEvery makes a key feel immediate; waitKey takes 2 ms.
const pollEvery = 15 * time.Millisecond

// firstWindow is the window's size until the first picture comes, maxWindow the one
// to which it opens then at most, both in pixels: it fits most screens, and can be
// changed.
var firstWindow, maxWindow = image.Pt(640, 360), image.Pt(1280, 720)

func openWindow(cfg Config) (stream.Sink, error) {
	if why := windowMissing(cfg.Kind == "window"); why != "" {
		return nil, fmt.Errorf("display: no window can be opened: %s: use the page instead (--display web)", why)
	}
	hush()
	d, err := codec.NewDecoder()
	if err != nil {
		return nil, fmt.Errorf("display: %w", err)
	}
	w := &window{
		title: cfg.Title, log: cfg.Log, overlay: cfg.Overlay, stalled: cfg.Stalled,
		decoder: d, picture: gocv.NewMat(), canvas: newCanvas(), came: time.Now(),
		snapshots: snapshots{dir: cfg.SnapshotDir, log: cfg.Log, notify: cfg.Notify},
	}
	if w.overlay == nil {
		w.overlay = w.ownFigures
	}
	w.win = newWindow(cfg.Title)
	watchDisplay(true)
	w.win.ResizeWindow(firstWindow.X, firstWindow.Y)
	if err := w.paint(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.answer()
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

func (w *window) Write(_ context.Context, f *stream.Frame) error {
	w.came = time.Now()
	if err := w.take(f); err != nil {
		w.undecodable.Add(1)
		if w.said.now() {
			w.log.Warn("frame not decoded", "error", err, "frames_so_far", w.undecodable.Load())
		}
	} else {
		w.shown.Add(1)
	}
	return w.refresh()
}

// take shows f, or keeps it at hand while the picture is frozen. A frame that waits so
// is counted as shown when its header is whole: it was there to be seen.
func (w *window) take(f *stream.Frame) error {
	if !w.frozen {
		return w.show(f)
	}
	_, err := codec.ParseHeader(f.JPEG)
	if err == nil {
		hold(&w.newest, f)
	}
	return err
}

// show makes f the picture; when it does not decode, the one before stays.
func (w *window) show(f *stream.Frame) error {
	if err := w.decode(f.JPEG); err != nil {
		return err
	}
	if w.held == nil && w.inside() == firstWindow { // and not what the user made of it
		s := fit(w.size, maxWindow)
		w.win.ResizeWindow(s.X, s.Y)
	}
	hold(&w.held, f)
	w.fresh = true
	return nil
}

// hold keeps f in place of what is there.
func hold(place **stream.Frame, f *stream.Frame) {
	if old := *place; old != nil {
		old.Release()
	}
	*place = f.Retain()
}

func (w *window) decode(jpeg []byte) error {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return err
	}
	w.spoilt = true
	if size := image.Pt(h.Width, h.Height); size != w.size {
		mat, pix, err := newMat(size)
		if err != nil {
			return err
		}
		w.picture.Close()
		w.picture, w.pix, w.size = mat, pix, size
	}
	err = w.decoder.DecodeBGR(&codec.BGR{Pix: w.pix, Stride: 3 * w.size.X, Rect: image.Rectangle{Max: w.size}}, jpeg)
	w.spoilt = err != nil
	return err
}

// PollEvery implements [stream.Poller].
func (w *window) PollEvery() time.Duration { return pollEvery }

// Poll implements [stream.Poller].
func (w *window) Poll(context.Context) error {
	if time.Since(w.answered) < pollEvery/2 {
		return nil // Write has just done it
	}
	return w.refresh()
}

// refresh shows what is new, and listens.
func (w *window) refresh() error {
	if w.closed() { // showing a picture would open it again
		return stream.ErrStop
	}
	if err := w.paint(); err != nil {
		return err
	}
	return w.answer()
}

// answer lets highgui draw and listen. q, Esc and closing the window end the show.
func (w *window) answer() error {
	key := waitKey()
	w.answered = time.Now()
	if w.closed() {
		return stream.ErrStop
	}
	return w.press(key)
}

func (w *window) closed() bool { return w.win.GetWindowProperty(gocv.WindowPropertyVisible) < 1 }

// inside is the size of the window without its frame, in pixels. Where the toolkit
// cannot tell, it is the picture's own, and the toolkit fits it.
func (w *window) inside() image.Point {
	if size := windowInside(w.title).Size(); size != (image.Point{}) {
		return size
	}
	if w.size == (image.Point{}) {
		return firstWindow
	}
	return fit(w.size, maxWindow)
}

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
	watchDisplay(false)
	w.win.Close() // and unlocks the thread
	for _, f := range []*stream.Frame{w.held, w.newest} {
		if f != nil {
			f.Release()
		}
	}
	w.picture.Close()
	w.canvas.close()
	return errors.Join(w.decoder.Close(), w.snapshots.Close())
}
