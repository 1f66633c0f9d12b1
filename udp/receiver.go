package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp/batch"
)

// DefaultReadBuffer is the receive buffer asked for, in bytes: the kernel charges a
// 1472-byte datagram about 2.3 kB, so that 4 MiB hold 2.6 MB of frames, twenty of
// 120 kB, while the reader is kept from running.
const DefaultReadBuffer = 4 << 20

// Receiver is a stream.Source of the frames that arrive whole. Of several frames
// that wait for Next, only the newest is kept.
type Receiver struct {
	conn    *net.UDPConn
	batch   *batch.Reader
	noted   bool           // datagrams come with a note on where they were sent to; without, all that come are ours
	oneOf   bool           // the interface that a datagram came by matters
	addr    netip.AddrPort // listened on
	control *net.UDPConn   // of a group's viewer, for itself alone; else nil
	group   *membership    // nil without; of the tending goroutine
	box     *stream.Mailbox
	stop    chan struct{}
	news    chan struct{} // holds a token when another sender is followed
	running sync.WaitGroup
	closed  sync.Once
	log     *slog.Logger
	scribe  *scribe // by which it is written

	mu      sync.Mutex // guards what follows; the read loop holds it while it works on a batch
	frames  *fragment.Reassembler
	pinger  pinger
	wants   wants
	silence silence
	books   account

	candidates feedback
	stall      stall
	ask        *asker // nil without From; a pointer that does not change
	indices    []int  // of the interfaces on which the group is joined
	stats      ReceiverStats
	last       uint32 // kernel's drop counter when last seen

	// Of the read loop, which logs without holding mu: who reads the log may be slow.
	versions, errors throttle
	followed         netip.AddrPort // last said in the log
	pathless         throttle       // of the tending goroutine
	out              []byte         // an answer

	shown atomic.Uint64 // frames taken by Next
}

// ReceiverStats are figures since the start. Every datagram read is counted once:
// Datagrams = Control + Fragments.Received.
type ReceiverStats struct {
	Datagrams   uint64            `json:"datagrams"`
	Bytes       uint64            `json:"bytes"`        // of UDP payload
	Control     uint64            `json:"control"`      // datagrams of types other than data
	KernelDrops uint64            `json:"kernel_drops"` // dropped here for want of room in the receive buffer, a train of them counted once; not the network's fault
	ReadErrors  uint64            `json:"read_errors"`
	Replaced    uint64            `json:"replaced"` // whole frames replaced by a newer one before Next
	Fragments   fragment.Counters `json:"fragments"`
	ReadBuffer  int               `json:"read_buffer"`         // bytes granted
	From        string            `json:"from"`                // address followed; empty before the first frame
	Joined      []string          `json:"joined,omitempty"`    // interfaces on which the group is; not to be changed
	Pings       uint64            `json:"pings"`               // asked the sender for its clock
	Pongs       uint64            `json:"pongs"`               // of which it answered
	Reports     uint64            `json:"reports"`             // told a sender how its datagrams fare
	Candidate   uint64            `json:"candidate_reports"`   // of these, to senders none of whose frames is complete yet
	Jitter      float64           `json:"jitter_us"`           // µs, by RFC 3550 section 6.4.1, of the frames' first datagrams
	Asides      uint64            `json:"asides"`              // datagrams to a group's viewer itself; in Datagrams they are not
	Elsewhere   uint64            `json:"elsewhere,omitempty"` // to another address of the same port, by another interface, or not of the sender asked: ignored; nor are they
	Asking      *AskingStats      `json:"asking,omitempty"`    // with From
	Stalled     string            `json:"stalled,omitempty"`   // for people: datagrams come, no frame has become complete for 2 s, and why; empty while frames do
}

// Listen opens the socket and starts reading. A used address is an error that
// matches syscall.EADDRINUSE; what cannot be used otherwise is a *ConfigError.
func Listen(cfg ReceiverConfig) (*Receiver, error) {
	cfg.ReadBuffer = cmp.Or(cfg.ReadBuffer, DefaultReadBuffer)
	cfg.Listen, cfg.Source = unmap(cfg.Listen), cfg.Source.Unmap().WithZone("")
	if err := cfg.check(); err != nil {
		return nil, err
	}
	log := newScribe(cfg.Log)
	cfg.Log = log.log
	cfg.Frames.Deadline = max(cmp.Or(cfg.Frames.Deadline, 100*time.Millisecond), cfg.Deadline)
	frames, err := fragment.NewReassembler(cfg.Frames)
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		frames: frames, box: stream.NewMailbox(), stop: make(chan struct{}), news: make(chan struct{}, 1),
		versions: newThrottle(cfg.Log), errors: newThrottle(cfg.Log), pathless: newThrottle(cfg.Log), out: make([]byte, 0, 64), scribe: log,
	}
	r.log = r.errors.log
	r.wants = newWants(cfg.Repair, cfg.Deadline)
	if err := r.open(cfg); err != nil {
		return nil, err
	}
	r.stats.ReadBuffer = r.growBuffer(cfg.ReadBuffer)
	if err := countDrops(r.conn); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		r.log.Warn("drops in the receive buffer will look like network loss", slog.Any("error", err))
	}
	if cfg.From != "" {
		r.follow(cfg)
	}
	r.silence.since = time.Now()
	r.running.Add(2)
	go r.run()
	go r.tend()
	if r.control != nil {
		r.running.Add(1)
		go r.readControl()
	}
	return r, nil
}

// growBuffer asks for size bytes, and says once what to do when less was granted.
func (r *Receiver) growBuffer(size int) int {
	granted, err := setReadBuffer(r.conn, size)
	if err != nil || granted < size {
		r.log.Warn("the receive buffer is smaller than wanted: bursts may be lost",
			slog.Int("wanted_bytes", size), slog.Int("granted_bytes", granted),
			slog.String("raise_it_with", fmt.Sprint(raiseBufferLimit, size)), slog.Any("error", err))
	}
	return granted
}

// LocalAddr is the address listened on, with its real port.
func (r *Receiver) LocalAddr() netip.AddrPort { return r.addr }

// Next implements stream.Source. After Close the error is io.EOF.
func (r *Receiver) Next(ctx context.Context) (*stream.Frame, error) {
	f, err := r.box.Take(ctx)
	if err == nil {
		r.shown.Add(1)
	}
	return f, err
}

// Close ends the reading, waits for it and frees everything. It may be called more
// than once; Next then returns io.EOF.
func (r *Receiver) Close() error {
	r.closed.Do(func() {
		close(r.stop)
		r.leave()
		r.closeSockets()
		r.running.Wait()
		r.mu.Lock() // Stats may be called now
		r.frames.Close()
		r.mu.Unlock()
		r.box.Drain(io.EOF)
		r.scribe.finish()
	})
	return nil
}

// Stats may be called at any time, from any goroutine.
func (r *Receiver) Stats() ReceiverStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Fragments, s.Replaced = r.frames.Counters(), r.box.Replaced()
	if from := r.frames.Followed(); from.IsValid() {
		s.From = from.String()
	}
	s.Jitter = math.Round(r.books.transit.jitter)
	if r.ask != nil {
		s.Asking = r.ask.stats()
	}
	return s
}
