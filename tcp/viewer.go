package tcp

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
)

// viewer is a connection on which frames are sent. One goroutine reads from it, another
// writes to it.
type viewer struct {
	sender   *Sender
	peer     *peer
	accepted bool // came to us
	maxFrame int  // bytes that it takes
	since    time.Time
	pressure *pressure
	wake     chan struct{} // holds a token while there may be a new frame
	pings    chan ping     // holds the newest one that is not answered
	asked    *ping         // the one that is to be answered next
	again    *time.Timer   // when to look at a full connection again
	rtt      atomic.Uint32 // µs

	congestion string // in use

	header []byte // of a frame message, with its length
	bufs   [2][]byte
	out    net.Buffers

	last            uint32 // ID of the newest frame taken; guarded by sender.mu, as are
	frames, skipped uint64 // handed to the kernel whole, and not
}

// ping is one that has come.
type ping struct {
	fragment.Ping
	at time.Time // when
}

func newViewer(s *Sender, p *peer, maxFrame uint32, accepted bool) (*viewer, error) {
	pressure, err := newPressure(p.conn, p.written.Load)
	if err != nil {
		return nil, err
	}
	if maxFrame == 0 || maxFrame > fragment.MaxFrameBytes {
		maxFrame = fragment.MaxFrameBytes
	}
	again := time.NewTimer(time.Hour)
	again.Stop()
	return &viewer{
		sender: s, peer: p, accepted: accepted, maxFrame: int(maxFrame), since: time.Now(), pressure: pressure,
		congestion: congestionOf(p.conn),
		wake:       make(chan struct{}, 1), pings: make(chan ping, 1), again: again,
	}, nil
}

// run serves v until it leaves, does not keep to the protocol or does nothing for too
// long, and says which. When ctx is done it says bye.
func (v *viewer) run(ctx context.Context) error {
	writing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		err := v.write(writing)
		switch {
		case ctx.Err() != nil:
			if err == nil { // a frame that was cut ends the connection by itself
				v.peer.farewell() // and the reader waits until the other side closes
			}
		case writing.Err() != nil && !quiet(err):
			err = nil // the reader has ended, and said why; a time-out shows as an end there
		case err != nil:
			v.peer.conn.Close()
		}
		done <- err
	}()
	read := v.read()
	stop()
	if ctx.Err() == nil {
		v.peer.conn.Close() // a write that waits for room ends
	}
	if err := <-done; err != nil {
		return err // it came first, and closed the connection
	}
	return read
}

// read hears what the viewer says until it leaves.
func (v *viewer) read() error {
	second, pings := time.Now(), 0
	for {
		c, n, err := v.peer.message(0)
		if err != nil {
			return err
		}
		if c.Type == fragment.TypeFrame {
			return fragment.ErrType
		}
		b, err := v.peer.control(n)
		if err != nil {
			return err
		}
		switch c.Type {
		case fragment.TypePing:
			p := ping{at: time.Now()}
			if p.at.Sub(second) >= time.Second {
				second, pings = p.at, 0
			}
			if pings++; pings > maxPings {
				return errFlood
			}
			if p.Parse(b) != nil {
				continue
			}
			select { // the newest replaces one that waits
			case <-v.pings:
			default:
			}
			v.pings <- p
		case fragment.TypeBye:
			return errBye
		case fragment.TypeRefuse:
			return refusal(b)
		}
	}
}

// write sends what there is to send until that fails or ctx is done.
func (v *viewer) write(ctx context.Context) error {
	announce := time.NewTicker(time.Second)
	defer announce.Stop()
	defer v.again.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			v.asked = nil
			return v.offer() // the last frame, if it has not been sent and there is room
		case p := <-v.pings:
			v.asked = &p
			err = v.offer()
		case <-announce.C:
			a := v.sender.announce(v.peer)
			err = v.peer.send(&a)
			v.rtt.Store(v.pressure.look(time.Now()).rtt)
		case <-v.wake:
			err = v.offer()
		case <-v.again.C:
			err = v.offer()
		}
		if err != nil {
			return err
		}
	}
}

// answer answers the ping that waits, if there is one, and reports whether there is none
// any more. It waits until the connection is empty: behind a frame on a slow link the
// answer would take so much longer than the question that the clocks seem apart.
func (v *viewer) answer(now time.Time) (done bool, err error) {
	p := v.asked
	switch {
	case p == nil:
		return true, nil
	case !v.pressure.empty(now) && now.Sub(p.at) < pongWithin:
		v.again.Reset(lookForPong)
		return false, nil
	}
	v.asked = nil
	return true, v.peer.send(&fragment.Pong{
		Common: v.peer.common(), ID: p.ID, Sent: p.Sent,
		Received: v.sender.clock.micros(p.at), Answered: v.sender.clock.micros(time.Now()),
	})
}

// notify tells v of a new frame.
func (v *viewer) notify() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// offer answers a ping and then sends the newest frame, if the connection has room, and
// otherwise comes again soon.
func (v *viewer) offer() error {
	now := time.Now()
	if done, err := v.answer(now); err != nil || !done {
		return err
	}
	switch room, err := v.pressure.room(now); {
	case err != nil:
		return err
	case !room:
		v.again.Reset(lookAgain)
		return nil
	}
	parcel, ok := v.take()
	if !ok {
		return nil
	}
	defer parcel.frame.Release()
	err := v.send(parcel)
	if sent := v.sender.cfg.Sent; sent != nil && err == nil {
		sent(parcel.frame, parcel.captured, time.Now())
	}
	v.sender.mu.Lock()
	defer v.sender.mu.Unlock()
	if err != nil {
		v.skipped++
	} else {
		v.frames++
	}
	return err
}

// take returns the newest frame, held once for the caller, unless v has had it or does
// not take one so large. Those between are skipped.
func (v *viewer) take() (parcel, bool) {
	s := v.sender
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ahead := s.latest, s.latest.id-v.last
	if ahead == 0 || p.frame == nil {
		return parcel{}, false
	}
	v.last = p.id
	v.skipped += uint64(ahead - 1)
	if len(p.frame.JPEG) > v.maxFrame {
		v.skipped++
		return parcel{}, false
	}
	if !s.latest.begun {
		s.latest.begun = true
		s.stats.Frames++
	}
	p.frame.Retain()
	return p, true
}

// send writes one frame: header and JPEG side by side, nothing copied.
func (v *viewer) send(p parcel) error {
	h := fragment.FrameHeader{Common: v.peer.common(), Frame: p.id, Captured: p.captured, CRC: p.crc}
	b := fragment.AppendLength(v.header[:0], fragment.FrameHeaderLen+len(p.frame.JPEG))
	b, err := h.AppendBinary(b)
	if err != nil {
		return err
	}
	v.header = b
	v.bufs = [2][]byte{b, p.frame.JPEG}
	v.out = v.bufs[:]
	err = v.peer.write(&v.out)
	v.bufs = [2][]byte{}
	return err
}
