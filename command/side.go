package command

import (
	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp"
)

// sendSide is the sending half of a session.
type sendSide struct {
	pump   *stream.Pump
	source stream.Source
	sender *udp.Sender
}

func (s *sendSide) totals() *sendFigures {
	pump := s.pump.Stats()
	f := &sendFigures{Network: s.sender.Stats()}
	if r, ok := s.source.(capture.Reporter); ok {
		f.Capture = r.Stats()
	}
	f.Frames = sendFrames{
		Captured: pump.Read, Sent: f.Network.Frames, Unsent: f.Network.Unsent, Skipped: pump.Replaced, TooLarge: f.Network.TooLarge,
	}
	return f
}

// bytes is the UDP payload sent to all destinations.
func (f *sendFigures) bytes() (n uint64) {
	for _, to := range f.Network.To {
		n += to.Bytes
	}
	return n
}

// viewSide is the viewing half of a session.
type viewSide struct {
	pump     *stream.Pump
	receiver *udp.Receiver
	display  stream.Sink      // as opened
	sink     stream.Sink      // with the measuring around it
	timecode *display.Latency // nil without --timecode
	ages     *latencies
}

func (v *viewSide) totals() *viewFigures {
	pump := v.pump.Stats()
	f := &viewFigures{Network: v.receiver.Stats()}
	if r, ok := v.display.(display.Reporter); ok {
		stats := r.Stats()
		f.Display = &stats
	}
	if v.timecode != nil {
		f.Timecode = newTimecodeFigures(v.timecode.Stats())
	}
	f.Frames = viewFrames{
		Received: f.Network.Fragments.Complete, Shown: pump.Written,
		Skipped: f.Network.Replaced + pump.Replaced, Lost: f.Network.Fragments.Lost,
	}
	if f.Display != nil {
		f.Frames.Undecodable = min(f.Display.Undecodable, f.Frames.Shown) // counted before and after its Write has returned
		f.Frames.Shown -= f.Frames.Undecodable
	}
	return f
}
