package command

import (
	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
)

// sendSide is the sending half of a session.
type sendSide struct {
	pump   *stream.Pump
	source stream.Source
	out    *outbound
	rate   *rateControls // nil for none
}

func (s *sendSide) totals() *sendFigures {
	pump := s.pump.Stats()
	f := &sendFigures{outFigures: s.out.stats(), Rate: s.rate.figures()}
	if r, ok := s.source.(capture.Reporter); ok {
		f.Capture = r.Stats()
	}
	f.Frames = sendFrames{Captured: pump.Read, Skipped: pump.Replaced}
	f.Frames.Sent, f.Frames.Unsent, f.Frames.TooLarge = f.outFigures.frames()
	return f
}

// viewSide is the viewing half of a session.
type viewSide struct {
	pump     *stream.Pump
	in       *inbound
	display  stream.Sink      // as opened
	sink     stream.Sink      // with the measuring and the recording around it
	timecode *display.Latency // nil without --timecode
	ages     *latencies
}

func (v *viewSide) totals() *viewFigures {
	pump := v.pump.Stats()
	f := &viewFigures{inFigures: v.in.stats()}
	if r, ok := v.display.(display.Reporter); ok {
		stats := r.Stats()
		f.Display = &stats
	}
	if v.timecode != nil {
		f.Timecode = newTimecodeFigures(v.timecode.Stats())
	}
	in := f.inFigures.frames()
	f.Frames = viewFrames{
		Received: in.received, Shown: pump.Written, Skipped: in.replaced + pump.Replaced, LeftOut: in.leftOut, Lost: in.lost,
	}
	if f.Display != nil {
		f.Frames.Undecodable = min(f.Display.Undecodable, f.Frames.Shown) // counted before and after its Write has returned
		f.Frames.Shown -= f.Frames.Undecodable
	}
	return f
}

// relaySide is a relay: the way in copied to the way out.
type relaySide struct {
	pump   *stream.Pump
	in     *inbound
	source *passed // in, as it is passed on
	out    *outbound
}

func (r *relaySide) totals() *relayFigures {
	pump := r.pump.Stats()
	f := &relayFigures{In: r.in.stats(), Out: r.out.stats()}
	in := f.In.frames()
	f.Frames = relayFrames{Received: in.received, Skipped: in.replaced + pump.Replaced, Looped: r.source.looped.Load(), LeftOut: in.leftOut, Lost: in.lost}
	f.Frames.Sent, f.Frames.Unsent, f.Frames.TooLarge = f.Out.frames()
	return f
}
