package tcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxLobby is how many accepted connections may be greeting each other at a time. One
// more closes the one that has taken longest.
const maxLobby = 64

var errDisplaced = errors.New("it did not introduce itself before others came")

// listen opens a socket. An unspecified address, IPv4's excepted, means every one of this
// machine. A used one is an error that matches syscall.EADDRINUSE.
func listen(at netip.AddrPort, set settings) (*net.TCPListener, error) {
	host := ""
	if at.Addr().IsValid() && !(at.Addr().Is6() && at.Addr().IsUnspecified()) { // Go opens [::] for IPv4 too, or 0.0.0.0 where there is no IPv6
		host = at.Addr().Unmap().String()
	}
	c := net.ListenConfig{Control: set.control}
	l, err := c.Listen(context.Background(), "tcp", net.JoinHostPort(host, fmt.Sprint(at.Port())))
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	return l.(*net.TCPListener), nil
}

// lobby is where accepted connections wait until both sides have introduced themselves.
type lobby struct {
	mu    sync.Mutex
	peers []*guest // oldest first
}

type guest struct {
	conn *net.TCPConn
	out  atomic.Bool // was displaced
}

func (l *lobby) enter(conn *net.TCPConn) *guest {
	g := &guest{conn: conn}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.peers) == maxLobby {
		l.peers[0].out.Store(true)
		l.peers[0].conn.Close()
		l.peers = slices.Delete(l.peers, 0, 1)
	}
	l.peers = append(l.peers, g)
	return g
}

func (l *lobby) leave(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.peers, g); i >= 0 {
		l.peers = slices.Delete(l.peers, i, i+1)
	}
}

// accept gives each connection to serve, in a goroutine of its own, until ln is closed.
// serve closes it and calls leave when both sides know each other, or not at all.
func (l *lobby) accept(ln *net.TCPListener, sorry *throttle, serve func(conn *net.TCPConn, leave func()) error) {
	var guests sync.WaitGroup
	defer guests.Wait()
	for {
		conn, err := ln.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // no file descriptors, most likely
			sorry.warn("accepting connections", slog.Any("error", err))
			time.Sleep(50 * time.Millisecond)
			continue
		}
		g := l.enter(conn)
		guests.Go(func() {
			defer l.leave(g)
			from := addrOf(conn.RemoteAddr())
			if err := serve(conn, func() { l.leave(g) }); err != nil {
				if g.out.Load() {
					err = errDisplaced
				}
				sorry.warn("closed a connection", slog.String("from", from.String()), slog.String("because", unreached(err, "")))
			}
		})
	}
}
