//go:build cgo && !nocv

package display

import (
	"image"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/stream"
)

const (
	keyEsc   = 0x1B
	helpText = "s\tsave the picture\n" +
		"space\tfreeze, and go on\n" +
		"i\tfigures\n" +
		"f\tfull screen\n" +
		"h\tthis help\n" +
		"q\tquit, as Esc does"
)

// press does what the user asks with a key.
func (w *window) press(key rune) error {
	switch key {
	case 'q', 'Q', keyEsc:
		return stream.ErrStop
	case 's', 'S':
		if text := w.snapshots.save(w.held); text != "" {
			w.say(text)
		}
	case 'f', 'F':
		w.toggleFull()
	case ' ':
		w.toggleFrozen()
	case 'i', 'I':
		w.figures = !w.figures
	case 'h', 'H', '?':
		w.help = !w.help
	}
	return nil
}

// toggleFrozen keeps the picture, or goes on with the newest.
func (w *window) toggleFrozen() {
	w.frozen = !w.frozen && w.held != nil
	if f := w.newest; f != nil {
		w.newest = nil
		if err := w.show(f); err != nil && w.said.now() {
			w.log.Warn("frame not decoded", "error", err)
		}
		f.Release()
	}
}

// toggleFull asks the window manager for the full screen or back. Where there is none,
// as on a screen with nothing but this program, nobody would answer, and the window
// takes the screen itself.
func (w *window) toggleFull() {
	if screen, managed := screenSize(); !managed {
		place := windowInside(w.title)
		if place.Size() != screen {
			w.before, place = place, image.Rectangle{Max: screen}
		} else {
			place = w.before
		}
		w.moveTo(place)
		return
	}
	to := gocv.WindowFullscreen
	if w.win.GetWindowProperty(gocv.WindowPropertyFullscreen) > 0 {
		to = gocv.WindowNormal
	}
	w.win.SetWindowProperty(gocv.WindowPropertyFullscreen, to)
}

func (w *window) moveTo(r image.Rectangle) {
	if r.Empty() { // it was as large as the screen from its beginning
		return
	}
	w.win.MoveWindow(r.Min.X, r.Min.Y)
	w.win.ResizeWindow(r.Dx(), r.Dy())
}
