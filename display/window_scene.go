//go:build cgo && !nocv

package display

import (
	"cmp"
	"fmt"
	"image"
	"strings"
	"time"

	"github.com/framegram/framegram/internal/textwrap"
)

// scene is everything in the window but the picture itself: while it does not change
// and no picture comes, nothing is painted.
type scene struct {
	size    image.Point // of the window's inside, pixels
	title   string
	waiting bool // no picture yet
	dim     bool
	texts   [labelCount]string
}

const (
	quietAfter   = 2 * time.Second // without a frame
	overlayEvery = 250 * time.Millisecond
	noticeFor    = 3 * time.Second
	sentenceWide = 54 // characters of a sentence in one line
)

// scene is what is to be in the window now.
func (w *window) scene(now time.Time) scene {
	s := w.words(now)
	s.size = w.inside()
	return s
}

// words are the scene but for its size.
func (w *window) words(now time.Time) scene {
	s := scene{title: w.title, waiting: w.held == nil}
	silence := now.Sub(w.came)
	quiet := !s.waiting && silence > quietAfter
	why, none := "", "no signal"
	if s.waiting || quiet {
		why = w.reason(now)
	}
	if why != "" {
		none = "no frame"
	}
	var state []string
	if w.frozen {
		state = append(state, "frozen")
	}
	if quiet || why != "" {
		state = append(state, none)
	}
	if state != nil {
		s.title += " (" + strings.Join(state, ", ") + ")"
	}
	switch {
	case s.waiting:
		s.texts[banner], s.texts[bottomLeft] = cmp.Or(why, "waiting for the sender"), "h: keys"
	case quiet && w.frozen: // who froze the picture wants to see it
		s.texts[topRight] = strings.TrimSuffix("frozen, "+none+" for "+ago(silence)+"\n"+why, "\n")
	case quiet:
		s.texts[banner], s.dim = strings.TrimSuffix(none+" for "+ago(silence)+"\n"+why, "\n"), true
	case w.frozen:
		s.texts[topRight] = "frozen"
	}
	if w.help {
		s.texts[middle], s.texts[banner] = helpText, ""
	}
	if w.figures {
		s.texts[topLeft] = w.overlayText(now)
	}
	if text := w.snapshots.news(); text != "" {
		w.say(text)
	}
	if now.Before(w.noticeEnds) {
		s.texts[bottomLeft] = w.notice
	}
	return s
}

// reason is why no frame becomes complete although datagrams come, in lines, asked for anew four times a second.
func (w *window) reason(now time.Time) string {
	if now.Sub(w.whyAsked) >= overlayEvery {
		w.whyAsked = now
		w.why = strings.Join(textwrap.Lines(w.stalled(), sentenceWide), "\n")
	}
	return w.why
}

// overlayText is what the overlay says, asked for anew four times a second.
func (w *window) overlayText(now time.Time) string {
	if now.Sub(w.asked) >= overlayEvery {
		w.asked = now
		w.overlaid = strings.Join(w.overlay(), "\n")
	}
	return w.overlaid
}

// ownFigures is the overlay of a window that nobody gave another.
func (w *window) ownFigures() []string {
	return []string{fmt.Sprintf("%d×%d", w.size.X, w.size.Y), fmt.Sprintf("%d frames shown", w.shown.Load())}
}

// say shows the user a line for a moment.
func (w *window) say(text string) {
	w.notice, w.noticeEnds = text, time.Now().Add(noticeFor)
}

// paint brings the window up to date if anything has changed.
func (w *window) paint() error {
	s := w.scene(time.Now())
	if s == w.painted && !w.fresh {
		return nil
	}
	if s.title != w.painted.title {
		w.win.SetWindowTitle(s.title)
	}
	w.painted, w.fresh = s, false
	if err := w.canvas.resize(s.size); err != nil {
		return err
	}
	if s.waiting {
		w.canvas.fill(waitingGround)
	} else if err := w.place(); err != nil {
		return err
	}
	if s.dim {
		w.canvas.dim()
	}
	if err := w.canvas.write(s.texts); err != nil {
		return err
	}
	w.win.IMShow(w.canvas.mat)
	return nil
}

// place puts the frame shown onto the canvas.
func (w *window) place() error {
	if w.spoilt { // by a frame that did not decode to its end
		if err := w.decode(w.held.JPEG); err != nil {
			return err
		}
	}
	w.canvas.place(w.picture)
	return nil
}
