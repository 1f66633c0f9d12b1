package codec

import (
	"bytes"
	"fmt"
)

// stripWalk follows the restart markers of one scan, and counts intervals.
type stripWalk struct {
	*Strips
	holes []Hole // those still ahead
	total int    // intervals that there must be

	next  int  // the interval that the bytes at start belong to, unless torn or adrift
	start int  // where the interval began
	torn  bool // a part of it is missing
	drift bool // it follows a hole: how many are missing before it, its own marker will say
	guess bool // somewhere there may be 8 more intervals missing than it seems

	hidden int // markers that the holes behind the last one may hide, at most

	first int  // where the strip began
	whole bool // nothing of the strip is missing up to start
}

func (w *stripWalk) walk() error {
	for pos := w.start; ; {
		end := len(w.jpeg)
		if len(w.holes) > 0 {
			end = w.holes[0].From
		}
		at, marker, ok := scanMarker(w.jpeg[:end], pos)
		switch {
		case !ok && len(w.holes) > 0:
			h := w.holes[0]
			w.holes = w.holes[1:]
			pos = h.To
			w.drift, w.torn, w.start = true, !h.Strip, h.To
			w.hidden += 1 + (h.To-h.From)/(w.leastInterval()+2)
		case !ok && w.drift: // a hole hides the end, or half of EOI
			if w.guess {
				return errUncertain
			}
			w.skip(w.total - w.next)
			return nil
		case !ok:
			return fmt.Errorf("%w: it ends within strip %d", ErrFormat, w.next/w.each)
		case isRestart(marker):
			if err := w.restart(at, marker); err != nil {
				return err
			}
			pos = w.start
		case marker == mEOI:
			return w.last(at)
		default:
			return fmt.Errorf("%w: marker FF%02X between strips", ErrFormat, marker)
		}
	}
}

// restart ends an interval with the restart marker whose first byte is at byte at.
func (w *stripWalk) restart(at int, marker byte) error {
	missing := (int(marker-mRST0) - w.next) & 7
	if !w.drift && missing != 0 {
		return fmt.Errorf("%w: RST%d where RST%d must be", ErrFormat, marker-mRST0, w.next&7)
	}
	if w.drift && !w.torn && missing == 0 { // the hole was in another interval than this one
		missing = 8
	}
	if w.next+missing >= w.total-1 {
		return fmt.Errorf("%w: more restart intervals than the %d that its header announces", ErrFormat, w.total)
	}
	w.guess = w.guess || w.drift && w.next+missing+8 < w.total-1 && w.hidden >= missing+8
	w.hidden = 0
	w.skip(missing)
	w.interval(at)
	for at++; w.jpeg[at] == 0xFF; at++ { // fill bytes
	}
	w.start = at + 1
	return nil
}

// last ends the last interval at EOI, whose first byte is at byte at.
func (w *stripWalk) last(at int) error {
	missing := w.total - 1 - w.next
	if !w.drift && missing != 0 || w.drift && !w.torn && missing == 0 {
		return fmt.Errorf("%w: %d restart intervals, its header announces %d", ErrFormat, w.next+1, w.total)
	}
	if w.drift && w.guess {
		return errUncertain
	}
	w.skip(missing)
	w.interval(at)
	return nil
}

// leastInterval is how short a whole restart interval is at least, in bytes: a block has two codes, and none
// is shorter than a bit. Only the blocks of luma are counted.
func (w *stripWalk) leastInterval() int {
	h := &w.head
	return h.RestartInterval * max(h.mcu.X*h.mcu.Y/64, 1) * 2 / 8
}

var errUncertain = fmt.Errorf("%w: too much is missing to tell its strips apart", ErrFormat)

// skip counts n intervals as missing.
func (w *stripWalk) skip(n int) {
	for range n {
		w.close(0, false)
	}
}

// interval counts the one that ends at byte end.
func (w *stripWalk) interval(end int) {
	w.close(end, !w.torn)
	w.torn, w.drift = false, false
}

// close ends interval number next, and with it maybe a strip.
func (w *stripWalk) close(end int, ok bool) {
	if w.next%w.each == 0 {
		w.first, w.whole = w.start, true
	}
	w.whole = w.whole && ok
	w.next++
	if w.next%w.each != 0 && w.next != w.total {
		return
	}
	if w.whole {
		w.span = append(w.span, span{w.first, end})
	} else {
		w.span = append(w.span, span{})
		w.lost++
	}
}

// scanMarker looks for a marker in entropy-coded data from byte pos on: at is its
// first byte, fill bytes included. ok is false if there is none in b.
func scanMarker(b []byte, pos int) (at int, marker byte, ok bool) {
	for {
		i := bytes.IndexByte(b[pos:], 0xFF)
		if i < 0 {
			return 0, 0, false
		}
		at = pos + i
		for pos = at + 1; pos < len(b) && b[pos] == 0xFF; pos++ {
		}
		if pos == len(b) {
			return 0, 0, false
		}
		if b[pos] != 0 || pos > at+1 { // a byte FF of the data has one 00 behind it
			return at, b[pos], true
		}
		pos++
	}
}
