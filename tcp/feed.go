package tcp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/clock"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

const (
	// firstRoom in bytes is reserved for a frame of which nothing has come, unless this
	// sender has sent larger ones.
	firstRoom = 64 << 10
	// firstPings are sent pingSoon apart, for the clocks' offset, the others pingEvery.
	firstPings = 4
	pingSoon   = 250 * time.Millisecond
	pingEvery  = time.Second
)

var errTooLarge = errors.New("tcp: it sends larger frames than we take")

// feed is a connection on which frames come. One goroutine reads from it, another writes.
type feed struct {
	receiver   *Receiver
	peer       *peer
	congestion string
	clock      clock.Filter // guarded by receiver.mu

	started int64        // by its Announce: names the sender, together with its address
	since   time.Time    // when it was greeted
	alive   atomic.Int64 // when a part of a frame came last, in ns since born
	whole   atomic.Int64 // when a frame was whole last
	// Of the goroutine that reads:
	any     bool
	last    uint32 // ID of the newest frame
	largest int    // bytes of the largest frame that was whole
}

var born = time.Now() // only differences count, and they are monotonic

// run receives until the sender leaves, does not keep to the protocol or says nothing for
// too long, and says which. When ctx is done it says bye.
func (f *feed) run(ctx context.Context) error {
	pinging, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := f.ping(pinging)
		switch {
		case ctx.Err() != nil:
			f.peer.farewell()
		case err != nil:
			f.peer.conn.Close()
		}
	}()
	err := f.hear()
	stop()
	if ctx.Err() == nil {
		f.peer.conn.Close()
	}
	<-done
	return err
}

// ping asks for the sender's clock, which also tells it that we are there.
func (f *feed) ping(ctx context.Context) error {
	t := time.NewTicker(pingSoon)
	defer t.Stop()
	for id := uint32(0); ; id++ {
		if id == firstPings {
			t.Reset(pingEvery)
		}
		err := f.peer.send(&fragment.Ping{Common: f.peer.common(), ID: id, Sent: time.Now().UnixMicro()})
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// hear reads what the sender says until it leaves.
func (f *feed) hear() error {
	for {
		c, n, err := f.peer.message(f.receiver.cfg.MaxFrame)
		switch {
		case err == nil && c.Type == fragment.TypeFrame:
			err = f.frame(n)
		case err == nil:
			err = f.control(c.Type, n)
		case errors.Is(err, fragment.ErrInvalid) && c.Type == fragment.TypeFrame && n > fragment.FrameHeaderLen:
			f.receiver.count(&f.receiver.stats.TooLarge)
			err = errTooLarge
		}
		if err != nil {
			return err
		}
	}
}

func (f *feed) control(t fragment.Type, n int) error {
	b, err := f.peer.control(n)
	if err != nil {
		return err
	}
	switch t {
	case fragment.TypePong:
		var p fragment.Pong
		if p.Parse(b) == nil {
			f.receiver.hearPong(f, p, time.Now().UnixMicro())
		}
	case fragment.TypeBye:
		return errBye
	case fragment.TypeRefuse:
		return refusal(b)
	}
	return nil
}

// frame reads a frame message of n bytes and counts it under one outcome. The error is
// the connection's, or tells that it cannot be gone on with.
func (f *feed) frame(n int) error {
	r := f.receiver
	b, err := f.peer.in.Peek(fragment.LengthLen + fragment.FrameHeaderLen)
	if err != nil {
		return err
	}
	var h fragment.FrameHeader
	start, err := h.Parse(b[fragment.LengthLen:], n)
	switch {
	case errors.Is(err, fragment.ErrSealed):
		return f.leaveOut(n, &r.stats.Sealed)
	case err != nil:
		r.count(&r.stats.Damaged)
		return err
	case n-start > r.cfg.MaxFrame:
		r.count(&r.stats.TooLarge)
		return errTooLarge
	case f.any && !stream.Newer(h.Frame, f.last):
		return f.leaveOut(n, &r.stats.Stale)
	}
	leftOut := uint32(0)
	if f.any {
		leftOut = h.Frame - f.last - 1
	}
	f.any, f.last = true, h.Frame
	f.touch()
	if !r.wants(f) {
		return f.leaveOut(n, &r.stats.Unfollowed)
	}
	began := time.Now()
	f.peer.in.Discard(fragment.LengthLen + start) // an error shows below
	frame, err := f.body(n - start)
	if err != nil {
		r.count(&r.stats.Cut)
		return err
	}
	if fragment.FrameCRC(frame.JPEG) != h.CRC {
		frame.Release()
		r.count(&r.stats.Damaged)
		r.logs.trouble.warn("a frame came damaged: something on the way changes bytes", slog.String("sender", f.peer.addr.String()))
		return nil
	}
	f.largest = max(f.largest, len(frame.JPEG))
	frame.ID, frame.Captured = h.Frame, h.CapturedTime()
	frame.First, frame.Ready = began, time.Now()
	f.whole.Store(int64(time.Since(born)))
	r.take(f, frame, leftOut)
	return nil
}

// leaveOut reads a frame message of n bytes without keeping it, and counts it as reason,
// or as cut.
func (f *feed) leaveOut(n int, reason *uint64) error {
	if err := f.peer.skip(n); err != nil {
		f.receiver.count(&f.receiver.stats.Cut)
		return err
	}
	f.receiver.count(reason)
	return nil
}

// body reads a JPEG of size bytes, and reserves memory as it comes: at most as much again
// as has come, or as this sender's largest frame so far. The frame is held once by the
// caller.
func (f *feed) body(size int) (*stream.Frame, error) {
	pool := &f.receiver.pool
	frame := pool.Get(min(size, max(firstRoom, f.largest)))
	for {
		had := len(frame.JPEG)
		frame.JPEG = frame.JPEG[:min(cap(frame.JPEG), size)]
		for had < len(frame.JPEG) {
			n, err := f.peer.in.Read(frame.JPEG[had:])
			had += n
			if n > 0 {
				f.touch()
			}
			if err != nil {
				frame.Release()
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return nil, err
			}
		}
		if had == size {
			return frame, nil
		}
		larger := pool.Get(min(size, 2*had))
		larger.JPEG = append(larger.JPEG, frame.JPEG...)
		frame.Release()
		frame = larger
	}
}

// touch notes that a part of a frame has come.
func (f *feed) touch() { f.alive.Store(int64(time.Since(born))) }

// silentFor is how long nothing of a frame has come, or longer where what comes has not
// made a frame for frameWithin.
func (f *feed) silentFor() time.Duration {
	now := time.Since(born)
	if without := f.withoutFrame(); without > frameWithin {
		return without
	}
	return now - time.Duration(f.alive.Load())
}

// withoutFrame is how long no frame has become whole.
func (f *feed) withoutFrame() time.Duration {
	return time.Since(born) - max(time.Duration(f.whole.Load()), f.since.Sub(born))
}
