package tcp

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/clock"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

const (
	// maxSenders is how many may be connected to a listening Receiver.
	maxSenders = 4
	// takeover is how long the sender that is followed must have sent no part of a frame
	// before another may be followed; as over UDP (docs/PROTOCOL.md, section 5).
	takeover = 500 * time.Millisecond
	// frameWithin is how long a sender may take for a whole frame before others may have its
	// place: that of the followed one, or one of maxSenders.
	frameWithin = 5 * time.Second
)

// ReceiverConfig configures NewReceiver. The zero value listens on port 0 of every
// address.
type ReceiverConfig struct {
	From       string         // HOST:PORT of a sender that listens; dialled for ever, the name resolved anew every time
	Listen     netip.AddrPort // where senders may come to when From is empty; an invalid address means every one, IPv4 and IPv6
	MaxFrame   int            // bytes; zero means fragment.MaxFrameBytes, which is also the most
	Congestion string         // congestion control by name; empty means the system's
	Log        *slog.Logger   // nil means discard
}

func (c ReceiverConfig) check() error {
	if c.MaxFrame < 1 || c.MaxFrame > fragment.MaxFrameBytes {
		return fmt.Errorf("tcp: MaxFrame is %d, want 1..%d bytes, or 0 for the most", c.MaxFrame, fragment.MaxFrameBytes)
	}
	if c.From != "" {
		if err := checkAddress(c.From); err != nil {
			return fmt.Errorf("tcp: From is %q: %w", c.From, err)
		}
	}
	return settings{c.Congestion}.check()
}

// Receiver is a stream.Source of the frames of one sender. It reads them as they come;
// of several that wait for Next only the newest is kept.
type Receiver struct {
	cfg      ReceiverConfig
	set      settings
	listener *net.TCPListener // nil where we dial
	lobby    lobby
	box      *stream.Mailbox
	pool     stream.Pool
	cancel   context.CancelFunc
	tasks    sync.WaitGroup
	closing  sync.Once
	logs     logs

	read, failures atomic.Uint64

	mu       sync.Mutex // guards what follows, and every feed's clock
	feeds    []*feed    // connected
	gone     resumption // of the sender that was followed and is gone
	followed *feed      // nil before the first frame and while it is gone
	from     netip.AddrPort
	clock    clock.Filter // of the sender at from
	stats    ReceiverStats
}

// resumption is what to remember of a sender whose connection broke: its frames go on
// counting meanwhile.
type resumption struct {
	addr    netip.Addr
	started int64
	last    uint32 // ID of its newest frame
}

// NewReceiver opens the listener, or begins to dial. That nobody is there to be dialled is
// no error.
func NewReceiver(cfg ReceiverConfig) (*Receiver, error) {
	cfg.MaxFrame = cmp.Or(cfg.MaxFrame, fragment.MaxFrameBytes)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Receiver{
		cfg: cfg, set: settings{cfg.Congestion}, box: stream.NewMailbox(), logs: newLogs(cfg.Log),
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	if cfg.From != "" {
		c := &caller{to: cfg.From, set: r.set, start: "framegram send --listen tcp://", failures: &r.failures, log: r.logs.Logger}
		r.tasks.Go(func() {
			c.run(ctx, func(ctx context.Context, conn *net.TCPConn) (bool, error) { return r.serve(ctx, conn, func() {}) })
		})
		return r, nil
	}
	l, err := listen(cfg.Listen, r.set)
	if err != nil {
		cancel()
		return nil, err
	}
	r.listener = l
	r.tasks.Go(func() {
		r.lobby.accept(l, r.logs.strangers, func(conn *net.TCPConn, leave func()) error {
			_, err := r.serve(ctx, conn, leave)
			return err
		})
	})
	return r, nil
}

// LocalAddr is the address listened on, with its real port; invalid for a Receiver that
// dials.
func (r *Receiver) LocalAddr() netip.AddrPort {
	if r.listener == nil {
		return netip.AddrPort{}
	}
	return addrOf(r.listener.Addr())
}

// Next implements stream.Source. After Close the error is io.EOF.
func (r *Receiver) Next(ctx context.Context) (*stream.Frame, error) { return r.box.Take(ctx) }

// Clock is what is known of the clock of the sender whose frames are shown, compared with
// this machine's. It is false before the first answer to a ping.
func (r *Receiver) Clock() (clock.Offset, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock.Offset(time.Now().UnixMicro())
}

// Close says bye to the senders, waits a moment for them to know, and frees everything. It
// may be called more than once; Next then returns io.EOF.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		if r.listener != nil {
			r.listener.Close()
		}
		r.box.Drain(io.EOF)
		r.cancel()
		r.tasks.Wait()
	})
	return nil
}

// serve greets the other side of conn, receives from it until it leaves or ctx is done,
// and closes conn. It calls leave when the sender is known. agreed is false where it never
// became a sender, and err then says why; it is nil where that is nobody's fault.
func (r *Receiver) serve(ctx context.Context, conn *net.TCPConn, leave func()) (agreed bool, err error) {
	defer conn.Close()
	p := newPeer(conn, &r.read)
	defer context.AfterFunc(ctx, p.end)()
	tuned := tune(conn)
	announce, err := r.greet(p, r.full())
	f := &feed{receiver: r, peer: p, congestion: congestionOf(conn), started: announce.Started, since: time.Now()}
	var stranger *strangerError
	switch {
	case ctx.Err() != nil:
		return false, nil
	case err != nil && (r.listener != nil || errors.As(err, &stranger)):
		r.count(&r.stats.Strangers)
		return false, err
	case err != nil: // what we dialled broke off: it may be starting, or ending
		return false, err
	}
	if !r.enter(f) {
		r.logs.full.warn("a sender was turned away: there are as many as allowed", slog.String("sender", p.addr.String()), slog.Int("senders", maxSenders))
		p.refuse(announce.Session, fragment.RefuseFull)
		return false, nil
	}
	leave()
	if tuned != nil {
		r.logs.trouble.warn("a connection lacks some of its options", slog.String("sender", p.addr.String()), slog.Any("error", tuned))
	}
	r.logs.come.info("connected to a sender", slog.String("sender", p.addr.String()), slog.String("name", announce.Name), slog.String("software", announce.Software))
	err = f.run(ctx)
	r.leave(f, quiet(err) && ctx.Err() == nil)
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		return false, err
	case ctx.Err() == nil:
		r.logs.gone.info("the connection to a sender has ended", slog.String("sender", p.addr.String()), slog.String("because", gone(err)))
	}
	return true, nil
}

// greet tells who we are, unless that will be a Refuse, and returns who is there.
func (r *Receiver) greet(p *peer, full bool) (a fragment.Announce, err error) {
	var ours encoding.BinaryAppender
	if !full {
		ours = &fragment.Hello{Common: p.common(), MaxFrame: uint32(r.cfg.MaxFrame)}
	}
	b, err := p.greet(ours, fragment.TypeAnnounce)
	if err != nil {
		return a, err
	}
	if err := a.Parse(b); err != nil {
		return a, notOurs(err)
	}
	return a, nil
}

// full reports whether no more senders may come.
func (r *Receiver) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.feeds) == maxSenders && r.idle() == nil
}

// idle is a sender that gives no frames, and may be displaced by one that does. mu is held.
func (r *Receiver) idle() *feed {
	for _, f := range r.feeds {
		if f != r.followed && f.withoutFrame() > frameWithin {
			return f
		}
	}
	return nil
}

// enter takes a sender in, unless there are too many.
func (r *Receiver) enter(f *feed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.feeds) == maxSenders {
		idle := r.idle()
		if idle == nil {
			r.stats.Refused++
			return false
		}
		idle.peer.conn.Close()
		r.feeds = slices.Delete(r.feeds, slices.Index(r.feeds, idle), slices.Index(r.feeds, idle)+1)
	}
	r.feeds = append(r.feeds, f)
	r.stats.Connects++
	if g := r.gone; g.addr == f.peer.addr.Addr() && g.started == f.started {
		f.any, f.last = true, g.last // what it sent meanwhile was left out for us
	}
	return true
}

func (r *Receiver) leave(f *feed, dropped bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.feeds, f); i >= 0 { // not displaced
		r.feeds = slices.Delete(r.feeds, i, i+1)
	}
	if r.followed == f {
		r.followed = nil
		r.gone = resumption{f.peer.addr.Addr(), f.started, f.last}
	}
	if dropped {
		r.stats.Dropped++
	}
}
