package tcp

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"log/slog"
	"net"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/fragment"
)

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
