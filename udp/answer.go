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
	// pongRate bounds the answers to pings of one socket in datagrams a second, and how
	// many may follow at once: a hundred viewers ask once a second each.
	pongRate = 100
	// readRate bounds what is read at all of one machine's: a flood costs the kernel, not us.
	readRate = 1000
	// readSize is the longest message that is read, in bytes; the longest there is, a Repair, has 1124.
	readSize = 1200
	// answerBuffer is the socket's receive buffer in bytes. Pings that waited in a long
	// queue would say nothing.
	answerBuffer = 32 << 10
)

// reader reads the sockets of one destination, one at a time, or a listener's: it answers
// pings, has what is asked for sent again, and passes on what else viewers send. No error of the network ends it; closing
// the socket does.
type reader struct {
	clock   wireClock
	running *sync.WaitGroup // all of a Sender's
	session uint64          // of what is answered; 0 = not drawn yet
	seq     atomic.Uint64
	viewers *viewers  // take reports; nil = nobody does
	resends *resender // takes requests for repair; nil = nobody does

	// Of a guest's socket and of a listener's own; else nil.
	house *house
	at    *listener
	local netip.Addr // ours, that datagrams come to; not valid: each says so itself, where the system tells

	pings, pongs atomic.Uint64
	refused      atomic.Bool // ICMP told this side, and not yet the one that sends
}

// start reads conn, which is connected if it is not for many, until it is closed.
func (r *reader) start(conn *net.UDPConn, many bool) {
	conn.SetReadBuffer(answerBuffer)
	rate := float64(readRate)
	if many {
		rate = listenRate // any number of viewers may ask for repairs, and strangers must not crowd them out
	}
	r.begin(conn, many, budget{rate: rate}, budget{rate: pongRate})
}

func (r *reader) begin(conn *net.UDPConn, many bool, reads, pongs budget) {
	var peer netip.AddrPort
	if !many {
		peer = unmap(conn.RemoteAddr().(*net.UDPAddr).AddrPort())
	}
	r.running.Go(func() { r.run(conn, peer, reads, pongs) })
}

func (r *reader) run(conn *net.UDPConn, peer netip.AddrPort, reads, pongs budget) {
	buf, out, own := make([]byte, readSize), make([]byte, 0, 64), onesOwn{pongs: pongs}
	var oob []byte
	if r.at != nil && !r.local.IsValid() {
		oob = make([]byte, noteSpace)
	}
	for {
		n, noted, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
		now := time.Now()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if isRefused(err) {
				r.refused.Store(true)
			}
		default:
			from, local := unmap(from), r.local
			if len(oob) > 0 {
				local = notedLocal(oob[:noted])
			}
			if from.Port() == 0 || len(oob) > 0 && !local.IsValid() {
				break // nobody can be answered there, or from there
			}
			if out = r.take(out[:0], buf[:n], from, local, now, &own); len(out) > 0 {
				r.reply(conn, peer, from, local, out)
			}
		}
		for !reads.take(time.Now()) {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// onesOwn is what each socket's goroutine has for itself.
type onesOwn struct {
	pongs budget
	ask   fragment.Repair // the last
}

// take hands a datagram that came at now to who it is for, and appends what is to be
// answered, or nothing, to out.
func (r *reader) take(out, b []byte, from netip.AddrPort, local netip.Addr, now time.Time, own *onesOwn) []byte {
	c, err := fragment.ParseCommon(b)
	switch {
	case err != nil:
	case c.Type == fragment.TypePing:
		return r.answer(out, b, now, &own.pongs)
	case c.Type == fragment.TypeReport && r.viewers != nil:
		r.viewers.report(from, b, now)
	case c.Type == fragment.TypeRepair && r.resends != nil:
		r.resends.request(from, b, &own.ask, now)
	case (c.Type == fragment.TypeHello || c.Type == fragment.TypeBye) && r.house != nil:
		return r.house.receive(from, local, r.at, b, now, out)
	}
	return out
}

// answer appends the Pong for a Ping that came at t2, or nothing for what is none.
func (r *reader) answer(out, b []byte, t2 time.Time, pongs *budget) []byte {
	var ping fragment.Ping
	if ping.Parse(b) != nil {
		return out
	}
	r.pings.Add(1)
	if !pongs.take(t2) {
		return out
	}
	pong := fragment.Pong{
		Common: r.common(),
		ID:     ping.ID, Sent: ping.Sent,
		Received: r.clock.micros(t2), Answered: r.clock.micros(time.Now()),
	}
	out, err := pong.AppendBinary(out)
	if err != nil {
		return out[:0] // cannot be: a Pong has no field that could be wrong
	}
	r.pongs.Add(1)
	return out
}

// reply sends back to where a datagram came from. On Linux it never waits: frames leave by the
// same socket, whose send buffer may be full.
func (r *reader) reply(conn *net.UDPConn, peer, from netip.AddrPort, local netip.Addr, b []byte) {
	switch { // what cannot be sent is as good as lost on the way
	case from == peer:
		sendNow(conn, b, netip.AddrPort{})
	case r.at != nil: // also what came to a guest's socket before it was connected
		r.at.reply(from, local, b)
	default:
		sendNow(conn, b, from)
	}
}

func (r *reader) common() fragment.Common {
	return fragment.Common{Session: r.session, Sequence: r.seq.Add(1) - 1}
}

// bye says by conn that it is over, to an address or where a connected socket leads. It
// waits until the time by at most, and nobody may be sending by conn.
func (r *reader) bye(conn *net.UDPConn, to netip.AddrPort, why fragment.ByeReason, by time.Time) {
	b, err := (&fragment.Bye{Common: r.common(), Reason: why}).AppendBinary(nil)
	if err != nil {
		return // cannot be: a Bye has no field that could be wrong
	}
	conn.SetWriteDeadline(by)
	if to.IsValid() { // whoever does not hear it notices by silence
		conn.WriteToUDPAddrPort(b, to)
	} else {
		conn.Write(b)
	}
}

// budget lets rate things a second through, as many at once at most. Its zero time is
// long ago.
type budget struct {
	rate float64
	have float64
	at   time.Time
}

// refill returns how many may pass at now.
func (b *budget) refill(now time.Time) float64 {
	b.have = min(b.have+b.rate*now.Sub(b.at).Seconds(), b.rate)
	b.at = now
	return b.have
}

func (b *budget) take(now time.Time) bool {
	if b.refill(now) < 1 {
		return false
	}
	b.have--
	return true
}
