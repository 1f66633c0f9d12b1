package tcp

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

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

// serve greets the other side of conn, serves it until it leaves or ctx is done, and
// closes conn. It calls leave when the viewer is known. agreed is false where it never
// became a viewer, and err then says why; it is nil where that is nobody's fault.
func (s *Sender) serve(ctx context.Context, conn *net.TCPConn, accepted bool, leave func()) (agreed bool, err error) {
	defer conn.Close()
	p := newPeer(conn, &s.total)
	defer context.AfterFunc(ctx, p.end)()
	tuned := errors.Join(tune(conn), s.mark(p))
	hello, err := s.greet(p, accepted && s.full())
	var stranger *strangerError
	switch {
	case ctx.Err() != nil:
		return false, nil
	case err != nil && (accepted || errors.As(err, &stranger)):
		s.count(&s.stats.Strangers)
		return false, err
	case err != nil: // what we dialled broke off: it may be starting, or ending
		return false, err
	}
	v, err := newViewer(s, p, hello.MaxFrame, accepted)
	if err != nil {
		return false, err
	}
	if !s.enter(v) {
		s.logs.full.warn("a viewer was turned away: there are as many as allowed", slog.String("viewer", p.addr.String()), slog.Int("viewers", s.cfg.MaxViewers))
		p.refuse(hello.Session, fragment.RefuseFull)
		return false, nil
	}
	leave()
	if tuned != nil {
		s.logs.trouble.warn("a connection lacks some of its options", slog.String("viewer", p.addr.String()), slog.Any("error", tuned))
	}
	s.logs.come.info("a viewer has come", slog.String("viewer", p.addr.String()))
	err = v.run(ctx)
	s.leave(v, quiet(err) && ctx.Err() == nil)
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		return false, err
	case ctx.Err() == nil:
		s.logs.gone.info("a viewer has gone", slog.String("viewer", p.addr.String()), slog.String("because", gone(err)))
	}
	return true, nil
}

// greet tells who we are, unless that will be a Refuse, and returns who is there.
func (s *Sender) greet(p *peer, full bool) (h fragment.Hello, err error) {
	var ours encoding.BinaryAppender
	if !full {
		announce := s.announce(p)
		ours = &announce
	}
	b, err := p.greet(ours, fragment.TypeHello)
	if err != nil {
		return h, err
	}
	if err := h.Parse(b); err != nil {
		return h, notOurs(err)
	}
	return h, nil
}

// announce is what p is told about the stream now.
func (s *Sender) announce(p *peer) (a fragment.Announce) {
	if s.cfg.Announce != nil {
		s.announceMu.Lock()
		a = s.cfg.Announce()
		s.announceMu.Unlock()
	}
	a.Common, a.Started = p.common(), cmp.Or(a.Started, s.start.UnixMicro())
	return a
}

// mark sets the DSCP of what is sent.
func (s *Sender) mark(p *peer) error {
	switch tos := s.cfg.DSCP << 2; { // the lower two bits are ECN's (RFC 3168)
	case tos == 0:
		return nil
	case p.addr.Addr().Is4():
		return ipv4.NewConn(p.conn).SetTOS(tos)
	default:
		return ipv6.NewConn(p.conn).SetTrafficClass(tos)
	}
}

// full reports whether no more viewers may come.
func (s *Sender) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted == s.cfg.MaxViewers
}

// enter adds v, which gets the frames from the next one on, unless the house is full.
func (s *Sender) enter(v *viewer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.accepted {
		if s.accepted == s.cfg.MaxViewers {
			s.stats.Refused++
			return false
		}
		s.accepted++
	}
	s.stats.Connects++
	v.last = s.latest.id
	if s.latest.frame != nil { // it gets the newest one at once, however long the next takes
		v.last--
		v.notify()
	}
	s.viewers = append(s.viewers, v)
	return true
}

// leave removes v and keeps its sums. What it had not got, it skipped.
func (s *Sender) leave(v *viewer, dropped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.viewers, v)
	s.viewers = slices.Delete(s.viewers, i, i+1)
	if v.accepted {
		s.accepted--
	}
	v.skipped += uint64(s.latest.id - v.last)
	s.stats.Bytes += v.peer.written.Load()
	s.stats.Delivered += v.frames
	s.stats.Skipped += v.skipped
	if dropped {
		s.stats.Dropped++
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
