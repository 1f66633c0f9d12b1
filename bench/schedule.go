package bench

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// frame is what both traces know of one, by the sender's clock, in µs.
type frame struct {
	captured, encoded, sent, first, complete, decoded int64 // 0 = did not get so far

	bytes int
	shown bool // decoded, at a time that can be

	sentFaults, shownFaults int64 // of the process when it noted the frame; 0 = not known
}

// arrived reports whether it was complete at the viewer.
func (f *frame) arrived() bool { return f.complete != 0 || f.shown }

// latency is captured → decoded.
func (f *frame) latency() int64 { return f.decoded - f.captured }

// longest is the greatest latency, either way, that is told apart from nonsense.
const longest = int64(time.Hour / time.Microsecond)

// join makes one of both traces, in the order of capture. Of two lines about one frame
// the first one counts. odd counts the frames whose times cannot be: they are taken as
// never shown.
func join(r *Run) (frames []*frame, odd int) {
	known := make(map[int64]*frame, len(r.Sent))
	at := func(captured int64) *frame {
		f := known[captured]
		if f == nil {
			f = &frame{captured: captured}
			known[captured] = f
			frames = append(frames, f)
		}
		return f
	}
	for _, s := range r.Sent {
		if f := at(s.Captured); f.encoded == 0 {
			f.encoded, f.sent, f.bytes, f.sentFaults = s.Encoded, s.Sent, s.Bytes, s.Faults
		}
	}
	var ahead int64
	if r.Clock != nil {
		ahead = r.Clock.Ahead.Microseconds()
	}
	ours := func(t int64) int64 {
		if t == 0 {
			return 0
		}
		return t + ahead
	}
	for _, s := range r.Shown {
		f := at(s.Captured)
		if f.first != 0 || f.decoded != 0 {
			continue
		}
		f.first, f.complete, f.decoded = ours(s.First), ours(s.Complete), ours(s.Decoded)
		f.bytes, f.shownFaults = max(f.bytes, s.Bytes), s.Faults
		if s.Decoded == 0 {
			continue
		}
		if f.shown = max(f.latency(), -f.latency()) <= longest; !f.shown {
			odd++
		}
	}
	slices.SortFunc(frames, func(a, b *frame) int { return cmp.Compare(a.captured, b.captured) })
	return frames, odd
}

// slot is a moment at which a frame was due.
type slot struct {
	at    int64  // when it was captured, or should have been
	frame *frame // nil = never captured
}

// span is the measured part of a run, [start, end) in µs, and every frame due in it.
type span struct {
	start, end int64
	slots      []slot // in order
	captured   int
}

// schedule lays out when frames were due.
//
// Their number n comes from the schedule alone: length times rate, rounded. The grid
// of n slots begins at the end of the warm-up, and is moved by at most one and a half
// slots so that the first frame captured after it lies in the middle of one; so capture
// may jitter by half an interval without a frame falling out at either end. (Both ends
// must run on for as long after the span, and the viewer for the longest deadline.) Frames
// captured within the grid are due when they were captured. If they are fewer than n,
// the source skipped: what is missing is laid into the gaps, a frame for every slot
// that passed while none was captured. If they are more, as from a camera that is
// faster than it says, all of them are due.
func schedule(r *Run, frames []*frame) span {
	interval, n := math.Inf(1), 0
	length := float64(cmp.Or(r.Measured, r.Scenario.Length).Microseconds())
	if fps := r.Scenario.FPS; fps > 0 && fps <= 1e6 {
		interval = 1e6 / fps
		n = int(max(0, min(math.Round(length/interval), maxFrames)))
	}
	began := r.Began
	if began == 0 && len(frames) > 0 {
		began = frames[0].captured
	}
	origin := float64(began + r.Scenario.Warmup.Microseconds())
	end := origin + length
	frames = frames[before(frames, origin):]
	if n > 0 {
		if len(frames) > 0 && float64(frames[0].captured) < end {
			first := float64(frames[0].captured)
			origin = first - interval*(math.Floor(max(0, (first-origin)/interval-0.5))+0.5)
		}
		end = origin + float64(n)*interval
	}
	frames = frames[:before(frames, end)]

	s := span{start: int64(origin), end: int64(end), captured: len(frames)}
	missing := max(0, n-len(frames))
	s.slots = make([]slot, 0, missing+len(frames))
	skip := func(until int) { // the source skipped all slots before until
		for ; missing > 0 && len(s.slots) < until; missing-- {
			at := int64(origin + (float64(len(s.slots))+0.5)*interval)
			if last := len(s.slots) - 1; last >= 0 {
				at = max(at, s.slots[last].at)
			}
			s.slots = append(s.slots, slot{at: at})
		}
	}
	for _, f := range frames {
		if n > 0 {
			skip(int((float64(f.captured) - origin) / interval))
		}
		s.slots = append(s.slots, slot{f.captured, f})
	}
	skip(math.MaxInt)
	return s
}

// before is how many frames were captured before t.
func before(frames []*frame, t float64) int {
	i, _ := slices.BinarySearchFunc(frames, t, func(f *frame, t float64) int { return cmp.Compare(float64(f.captured), t) })
	return i
}
