package udp

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
)

const (
	// listenRate bounds what is read of a listener's socket in datagrams a second. It is
	// ten times the Challenges that are given out, and costs 5 % of a core.
	listenRate = 20_000
	// listenPongs bounds the answers to pings of a listener's socket: where guests have no
	// sockets of their own, theirs come there, of up to 1000.
	listenPongs = 1000
	// listenBuffer is its buffers in bytes: room for some hundred Hellos at once, and for
	// as many answers to neighbours that are still looked for.
	listenBuffer = 512 << 10
)

// listener is a socket that viewers ask to be served at.
type listener struct {
	conn   *net.UDPConn
	addr   netip.AddrPort // that it is bound to
	reader reader

	sending sync.Mutex // see destination.mu
}

// openListener binds a socket, which is read from start on. An unspecified address is
// every one of this machine, 0.0.0.0 those of IPv4. One that is used is an error that
// matches syscall.EADDRINUSE, also where the other user is a listener.
func openListener(at netip.AddrPort) (*listener, error) {
	at = unmap(at)
	family, bind := "udp", &net.UDPAddr{Port: int(at.Port())}
	if at.Addr().IsValid() && at.Addr() != netip.IPv6Unspecified() { // for which Go opens IPv4 too, if there is any
		family, bind = network(at.Addr().Is4()), net.UDPAddrFromAddrPort(numbered(at))
	}
	conn, err := net.ListenUDP(family, bind)
	if err != nil {
		return nil, err
	}
	l := &listener{conn: conn, addr: localAddr(conn)}
	if err := admitGuests(conn, l.addr.Addr()); err != nil {
		conn.Close()
		return nil, fmt.Errorf("listening on %v: %w", l.addr, err)
	}
	setReadBuffer(conn, listenBuffer)                  // less is granted without an error, and only lets fewer ask at once
	conn.SetWriteBuffer(max(listenBuffer, sendBuffer)) // where guests share it, frames leave by it
	l.reader.at = l
	if !l.addr.Addr().IsUnspecified() {
		l.reader.local = l.addr.Addr()
	}
	return l, nil
}

// start reads it until close.
func (l *listener) start(clock wireClock, running *sync.WaitGroup, h *house, v *viewers) {
	r := &l.reader
	r.clock, r.running, r.session, r.house, r.viewers = clock, running, newSession(), h, v
	r.begin(l.conn, true, budget{rate: listenRate}, budget{rate: listenPongs})
}

func (l *listener) close() { l.conn.Close() }
