package tcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// DefaultMaxViewers is SenderConfig.MaxViewers when that is zero.
const DefaultMaxViewers = 16

// SenderConfig configures NewSender.
type SenderConfig struct {
	To         []string                 // HOST:PORT of viewers that listen; dialled for ever, each name resolved anew every time
	Listen     []netip.AddrPort         // where viewers may come to; an unspecified IPv6 address takes IPv4 as well
	MaxViewers int                      // of those that come, 1..1000; zero means DefaultMaxViewers
	Congestion string                   // congestion control by name; empty means the system's
	DSCP       int                      // 0..63 in the IP header (RFC 2474); zero is best effort, 34 is AF41
	Announce   func() fragment.Announce // what viewers are told about the stream, once a second; never called twice at a time. nil means nothing
	Log        *slog.Logger             // nil means discard

	// Sent is called when all of a frame has been handed to the kernel for one viewer,
	// with its time on the wire, in µs; from any goroutine, several at a time. f is
	// borrowed until it returns. nil means never.
	Sent func(f *stream.Frame, captured int64, at time.Time)
}

func (c SenderConfig) check() error {
	switch {
	case len(c.To)+len(c.Listen) == 0:
		return errors.New("tcp: To and Listen are empty, want at least one address")
	case c.MaxViewers < 1 || c.MaxViewers > 1000:
		return fmt.Errorf("tcp: MaxViewers is %d, want 1..1000, or 0 for %d", c.MaxViewers, DefaultMaxViewers)
	case c.DSCP < 0 || c.DSCP > 63:
		return fmt.Errorf("tcp: DSCP is %d, want 0..63", c.DSCP)
	}
	for i, to := range c.To {
		if err := checkAddress(to); err != nil {
			return fmt.Errorf("tcp: To[%d] is %q: %w", i, to, err)
		}
	}
	return settings{c.Congestion}.check()
}

func checkAddress(to string) error {
	host, port, err := net.SplitHostPort(to)
	if err != nil {
		return fmt.Errorf("want HOST:PORT: %w", err)
	}
	if host == "" || port == "" || port == "0" {
		return errors.New("want a host and a port over 0")
	}
	return nil
}

// Sender is a stream.Sink that sends every frame to each viewer, as far as the way to that
// one takes it. Write waits for none of them.
type Sender struct {
	cfg       SenderConfig
	set       settings
	start     time.Time
	clock     wireClock
	listeners []*net.TCPListener
	lobby     lobby
	cancel    context.CancelFunc
	tasks     sync.WaitGroup
	closing   sync.Once

	logs       logs
	announceMu sync.Mutex // held while cfg.Announce runs

	mu       sync.Mutex // guards what follows
	latest   parcel
	viewers  []*viewer
	accepted int           // of viewers
	stats    SenderStats   // without Viewers; the sums are of those who have left
	total    atomic.Uint64 // bytes read, which nobody asks for
	failures atomic.Uint64
}

// parcel is the newest frame, as every viewer gets it. Each viewer takes it when its
// connection has room: one frame waits, for whoever waits.
type parcel struct {
	frame    *stream.Frame // held by the Sender; nil before the first and after the last
	id       uint32
	captured int64
	crc      uint32
	begun    bool // a viewer has taken it
}

// NewSender opens the listeners and begins to dial. That nobody is there to be dialled is
// no error.
func NewSender(cfg SenderConfig) (*Sender, error) {
	cfg.MaxViewers = cmp.Or(cfg.MaxViewers, DefaultMaxViewers)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	now := time.Now()
	s := &Sender{
		cfg: cfg, set: settings{cfg.Congestion}, start: now, clock: wireClock{now},
		logs: newLogs(cfg.Log),
	}
	for _, at := range cfg.Listen {
		l, err := listen(at, s.set)
		if err != nil {
			for _, l := range s.listeners {
				l.Close()
			}
			return nil, err
		}
		s.listeners = append(s.listeners, l)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, l := range s.listeners {
		s.tasks.Go(func() {
			s.lobby.accept(l, s.logs.strangers, func(conn *net.TCPConn, leave func()) error {
				_, err := s.serve(ctx, conn, true, leave)
				return err
			})
		})
	}
	for _, to := range cfg.To {
		c := &caller{to: to, set: s.set, start: "framegram view --listen tcp://", failures: &s.failures, log: s.logs.Logger}
		s.tasks.Go(func() {
			c.run(ctx, func(ctx context.Context, conn *net.TCPConn) (bool, error) {
				return s.serve(ctx, conn, false, func() {})
			})
		})
	}
	return s, nil
}

// LocalAddrs are the addresses listened on, with their real ports.
func (s *Sender) LocalAddrs() (addrs []netip.AddrPort) {
	for _, l := range s.listeners {
		addrs = append(addrs, addrOf(l.Addr()))
	}
	return addrs
}

// Write implements stream.Sink: it leaves f for every viewer and returns at once. A frame
// over fragment.MaxFrameBytes is skipped, counted and said.
func (s *Sender) Write(_ context.Context, f *stream.Frame) error {
	switch size := len(f.JPEG); {
	case size == 0:
		return errors.New("tcp: an empty frame")
	case size > fragment.MaxFrameBytes:
		s.mu.Lock()
		s.stats.TooLarge++
		s.mu.Unlock()
		s.logs.trouble.warn("frame skipped: lower the quality or the size", slog.Int("bytes", size), slog.Int("limit_bytes", fragment.MaxFrameBytes))
		return nil
	}
	crc := fragment.FrameCRC(f.JPEG)
	s.mu.Lock()
	old := s.latest.frame
	s.account()
	s.latest = parcel{frame: f.Retain(), id: s.latest.id + 1, captured: s.clock.micros(f.Captured.Add(-f.Ahead)), crc: crc}
	for _, v := range s.viewers {
		v.notify()
	}
	s.mu.Unlock()
	if old != nil {
		old.Release()
	}
	return nil
}

// account counts the newest frame, which is about to be replaced. mu is held.
func (s *Sender) account() {
	if s.latest.frame != nil && !s.latest.begun {
		s.stats.Unsent++
	}
}

func (s *Sender) count(n *uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// Close says bye to all viewers and waits, for a moment only, until they know. It must
// not be called during Write, and may be called again.
func (s *Sender) Close() error {
	s.closing.Do(func() {
		for _, l := range s.listeners {
			l.Close()
		}
		s.cancel()
		s.tasks.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.account()
		if f := s.latest.frame; f != nil {
			s.latest.frame = nil
			f.Release()
		}
	})
	return nil
}

// wireClock gives wire times: wall time when the sender started, advanced by the
// monotonic clock, so that setting the clock does not bend latencies.
type wireClock struct{ start time.Time }

// micros is t in µs since the Unix epoch. A time without a monotonic reading (of a
// recording, of another machine) is taken as it is.
func (c wireClock) micros(t time.Time) int64 {
	return c.start.UnixMicro() + t.Sub(c.start).Microseconds()
}
