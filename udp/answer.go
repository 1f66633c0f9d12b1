package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// pongRate bounds the answers of one socket in datagrams a second, and how many may
	// follow at once: a hundred viewers ask once a second each.
	pongRate = 100
	// readRate bounds what is read of it at all: a flood costs the kernel, not us.
	readRate = 1000
	// pingBuffer is the socket's receive buffer in bytes. Pings that waited in a long
	// queue would say nothing.
	pingBuffer = 32 << 10
)

// reader reads the sockets of one destination, one at a time, and answers pings. No
// error of the network ends it; closing the socket does.
type reader struct {
	clock   wireClock
	running *sync.WaitGroup // all of a Sender's
	session uint64          // of what is answered; 0 = not drawn yet
	seq     atomic.Uint64

	pings, pongs atomic.Uint64
	refused      atomic.Bool // ICMP told this side, and not yet the one that sends
}

// start reads conn until it is closed.
func (r *reader) start(conn *net.UDPConn, many bool) {
	conn.SetReadBuffer(pingBuffer)
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		r.run(conn, many)
	}()
}

func (r *reader) run(conn *net.UDPConn, many bool) {
	buf, out := make([]byte, 256), make([]byte, 0, 64) // a longer datagram is no ping; its rest is cut off
	reads, pongs := budget{rate: readRate}, budget{rate: pongRate}
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		now := time.Now()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if isRefused(err) {
				r.refused.Store(true)
			}
		default:
			if out = r.answer(out[:0], buf[:n], now); len(out) > 0 && pongs.take(now) {
				if !many {
					from = netip.AddrPort{}
				}
				if reply(conn, from, out) == nil {
					r.pongs.Add(1)
				}
			}
		}
		for !reads.take(time.Now()) {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// answer appends the Pong for a Ping that came at t2, or nothing for anything else.
func (r *reader) answer(out, b []byte, t2 time.Time) []byte {
	var ping fragment.Ping
	if ping.Parse(b) != nil {
		return out
	}
	r.pings.Add(1)
	pong := fragment.Pong{
		Common: fragment.Common{Session: r.session, Sequence: r.seq.Add(1) - 1},
		ID:     ping.ID, Sent: ping.Sent,
		Received: r.clock.micros(t2), Answered: r.clock.micros(time.Now()),
	}
	out, err := pong.AppendBinary(out)
	if err != nil {
		return out[:0] // cannot be: a Pong has no field that could be wrong
	}
	return out
}

// reply writes to an address, or where a connected socket leads.
func reply(conn *net.UDPConn, to netip.AddrPort, b []byte) (err error) {
	if to.IsValid() {
		_, err = conn.WriteToUDPAddrPort(b, to)
	} else {
		_, err = conn.Write(b)
	}
	return err
}

// budget lets rate things a second through, as many at once at most. Its zero time is
// long ago.
type budget struct {
	rate float64
	have float64
	at   time.Time
}

func (b *budget) take(now time.Time) bool {
	b.have = min(b.have+b.rate*now.Sub(b.at).Seconds(), b.rate)
	b.at = now
	if b.have < 1 {
		return false
	}
	b.have--
	return true
}
