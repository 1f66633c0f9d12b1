package tcp

import (
	"log/slog"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// Whom a Receiver follows: one sender, until it is gone, or until it is silent and another
// completes a frame.

// free reports whether f is followed or may be. mu is held.
func (r *Receiver) free(f *feed) bool {
	return r.followed == f || r.followed == nil || r.followed.silentFor() >= takeover
}

// wants reports whether a frame of f is worth reading.
func (r *Receiver) wants(f *feed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.free(f)
}

// take hands on a whole frame of f, which it takes over, if f is followed or may be; the
// sender left out so many before it.
func (r *Receiver) take(f *feed, frame *stream.Frame, leftOut uint32) {
	r.mu.Lock()
	if !r.free(f) {
		r.stats.Unfollowed++
		r.mu.Unlock()
		frame.Release()
		return
	}
	news := r.from != f.peer.addr
	if r.followed != f {
		r.follow(f)
	}
	r.stats.Frames++
	r.stats.LeftOut += uint64(leftOut)
	r.mu.Unlock()
	r.box.Put(frame)
	if news {
		r.logs.Info("receiving", slog.String("from", f.peer.addr.String()))
	}
}

// follow makes f the sender that is shown. mu is held.
func (r *Receiver) follow(f *feed) {
	if r.followed != nil {
		r.stats.Takeovers++
	}
	if _, known := f.clock.Offset(time.Now().UnixMicro()); known || r.from.Addr() != f.peer.addr.Addr() {
		r.clock = f.clock
	} // else it is the same machine as before, and so is its clock
	r.followed, r.from = f, f.peer.addr
}

// hearPong notes the answer to a ping, which came at now.
func (r *Receiver) hearPong(f *feed, p fragment.Pong, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.clock.Add(p.Sent, p.Received, p.Answered, now)
	if r.followed == f {
		r.clock.Add(p.Sent, p.Received, p.Answered, now)
	}
}

func (r *Receiver) count(n *uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// ReceiverStats are figures since the start. Every frame message whose header came is
// counted once, in Frames, Damaged, TooLarge, Sealed, Stale, Unfollowed or Cut.
type ReceiverStats struct {
	Bytes      uint64 `json:"bytes"`      // read, of all connections
	Frames     uint64 `json:"frames"`     // whole, of the sender that is followed
	LeftOut    uint64 `json:"left_out"`   // by that sender between them, for we or the way were too slow
	Replaced   uint64 `json:"replaced"`   // whole frames replaced by a newer one before Next
	Damaged    uint64 `json:"damaged"`    // frames with a wrong CRC or an impossible header
	TooLarge   uint64 `json:"too_large"`  // frames over MaxFrame; each ends its connection
	Sealed     uint64 `json:"sealed"`     // frames that only a key would open
	Stale      uint64 `json:"stale"`      // frames not newer than the one before
	Unfollowed uint64 `json:"unfollowed"` // frames of senders that are not followed
	Cut        uint64 `json:"cut"`        // frames whose connection ended before they did
	Takeovers  uint64 `json:"takeovers"`  // times another sender was followed since the followed one was silent
	Connects   uint64 `json:"connects"`   // senders that have come, or that we have reached
	Refused    uint64 `json:"refused"`    // senders turned away: there were as many as allowed
	Dropped    uint64 `json:"dropped"`    // senders given up: they said nothing, or took nothing, for seconds
	Strangers  uint64 `json:"strangers"`  // connections with something that is no sender, or that said nothing
	Failures   uint64 `json:"failures"`   // times From could not be reached, or was no sender
	Connected  int    `json:"connected"`  // senders there now
	From       string `json:"from"`       // address followed; empty before the first frame
	Congestion string `json:"congestion"` // congestion control in use towards it; empty = not known
}

// Stats may be called at any time, from any goroutine.
func (r *Receiver) Stats() ReceiverStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Bytes, s.Replaced, s.Failures, s.Connected = r.read.Load(), r.box.Replaced(), r.failures.Load(), len(r.feeds)
	if r.from.IsValid() {
		s.From = r.from.String()
	}
	if r.followed != nil {
		s.Congestion = r.followed.congestion
	}
	return s
}
