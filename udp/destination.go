package udp

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/fragment"
)

const (
	// sendPatience is how long one frame may wait for room in the send buffer; by
	// then it is old.
	sendPatience = 250 * time.Millisecond
	// slowPatience is the same after a frame that had to be given up, until one goes
	// through again: the other destinations must not wait for this one every time.
	slowPatience = 5 * time.Millisecond
	// redialAfter is how often a destination that cannot be reached is tried again.
	redialAfter = time.Second
	// sendBuffer is asked for in bytes: room for about two frames of 120 kB, as the
	// kernel counts it. More would be a queue of the past on a slow link.
	sendBuffer = 256 << 10
)

// destination is one address: its own connected socket (so the kernel knows the
// path's MTU and tells of refusals), its own session and its own sequence.
type destination struct {
	addr    netip.AddrPort
	dscp    int
	session uint64
	seq     uint64

	conn   *net.UDPConn // nil while it cannot be reached
	batch  batchConn
	redial time.Time
	slow   bool // the last frame was given up for want of room
	mtu    int
	sorry  throttle
	ms     []message // as many as a frame has datagrams
	stats  DestinationStats
}

// DestinationStats are figures of one destination since the start.
type DestinationStats struct {
	Addr      string `json:"addr"`
	Frames    uint64 `json:"frames"`    // sent to the last datagram
	Datagrams uint64 `json:"datagrams"` // taken by the kernel
	Bytes     uint64 `json:"bytes"`     // of UDP payload
	Refused   uint64 `json:"refused"`   // told by ICMP that nothing listens there
	Unsent    uint64 `json:"unsent"`    // datagrams that could not be sent: no route, no room, too long
	Redials   uint64 `json:"redials"`   // times the socket was opened again
}

// newDestination opens the socket. That there is no route now is not an error.
func newDestination(addr netip.AddrPort, cfg SenderConfig) (*destination, error) {
	d := &destination{
		addr: addr, dscp: cfg.DSCP, session: newSession(), sorry: newThrottle(cfg.Log),
		stats: DestinationStats{Addr: addr.String()},
	}
	if err := d.dial(); err != nil && !isUnreachable(err) {
		return nil, fmt.Errorf("udp: %w", err)
	}
	return d, nil
}

func newSession() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:])
}

func (d *destination) v4() bool { return d.addr.Addr().Unmap().Is4() }

func (d *destination) ipHeader() int {
	if d.v4() {
		return ipv4.HeaderLen
	}
	return ipv6.HeaderLen
}

func (d *destination) dial() error {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(unmap(d.addr)))
	if err != nil {
		return err
	}
	if err := forbidFragments(conn, d.v4()); err != nil {
		conn.Close()
		return fmt.Errorf("forbidding IP fragments to %v: %w", d.addr, err)
	}
	conn.SetWriteBuffer(sendBuffer) // less is granted without an error, and only costs waiting
	d.conn, d.batch = conn, newBatchConn(conn)
	return nil
}

// mark sets the DSCP of what is sent from now on. Not every system lets a program.
func (d *destination) mark() error {
	switch tos := d.dscp << 2; { // the lower two bits are ECN's (RFC 3168)
	case d.conn == nil || tos == 0:
		return nil
	case d.v4():
		return ipv4.NewConn(d.conn).SetTOS(tos)
	default:
		return ipv6.NewConn(d.conn).SetTrafficClass(tos)
	}
}

func (d *destination) close() {
	if d.conn != nil {
		d.conn.Close()
		d.conn = nil
	}
}

// pathMTU is 0 where nobody knows.
func (d *destination) pathMTU() int {
	if d.conn == nil {
		return 0
	}
	mtu, err := pathMTU(d.conn, d.v4())
	if err != nil {
		return 0
	}
	return mtu
}

// send sends one frame. Its sequence numbers are used up whatever happens, so that
// the viewer's count of what is missing is true. The error is the first one.
func (d *destination) send(cut *fragment.Splitter, datagrams []fragment.Datagram) error {
	now := time.Now() // not the frame's: a destination before this one may have taken its time
	d.seq = cut.Stamp(d.session, d.seq)
	if d.conn == nil {
		if now.Before(d.redial) {
			d.stats.Unsent += uint64(len(datagrams))
			return nil // said when it was tried
		}
		d.redial = now.Add(redialAfter)
		d.stats.Redials++
		if err := d.dial(); err != nil {
			d.stats.Unsent += uint64(len(datagrams))
			return err
		}
		d.mark() // what is wrong with it was said at the start
	}
	patience := sendPatience
	if d.slow {
		patience = slowPatience
	}
	d.conn.SetWriteDeadline(now.Add(patience))
	unsent, err := d.write(d.messages(datagrams))
	d.slow = isLate(err)
	d.stats.Unsent += uint64(unsent)
	if unsent == 0 {
		d.stats.Frames++
	}
	if isUnreachable(err) { // its local address may be gone: a new socket chooses anew
		d.close()
		d.redial = now.Add(redialAfter)
	}
	return err
}

// messages lays header and payload side by side for sendmmsg: the picture is not
// copied.
func (d *destination) messages(datagrams []fragment.Datagram) []message {
	for len(d.ms) < len(datagrams) {
		d.ms = append(d.ms, message{Buffers: make([][]byte, 2)})
	}
	for i, g := range datagrams {
		d.ms[i].Buffers[0], d.ms[i].Buffers[1] = g.Header, g.Payload
	}
	return d.ms[:len(datagrams)]
}

// write sends ms, and returns how many were not sent and the first error. One
// refusal may concern an earlier frame, so the datagram is tried again; what another
// error concerns is skipped; what makes the rest pointless ends the frame.
func (d *destination) write(ms []message) (unsent int, first error) {
	refused := false
	for len(ms) > 0 {
		n, err := d.batch.WriteBatch(ms[:min(len(ms), batchSize)], 0)
		n = max(n, 0)
		for i := range ms[:n] {
			d.stats.Bytes += uint64(len(ms[i].Buffers[0]) + len(ms[i].Buffers[1]))
		}
		d.stats.Datagrams += uint64(n)
		ms = ms[n:]
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		switch {
		case isRefused(err) && !refused:
			d.stats.Refused++
			refused = true
		case isRefused(err), isTooLong(err), isUnreachable(err), isLate(err):
			return unsent + len(ms), first
		case len(ms) > 0:
			unsent++
			ms = ms[1:]
		}
	}
	return unsent, first
}
