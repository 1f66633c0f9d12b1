package udp

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
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

// destination is one address, or a group or broadcast address on one interface: its
// own socket, its own session and its own sequence.
type destination struct {
	addr    netip.AddrPort
	link    *link // where a group's, or 255.255.255.255's, datagrams leave by; nil for others
	dscp    int
	ttl     int // of a group's datagrams
	session uint64
	seq     uint64

	conn     *net.UDPConn // nil while it cannot be reached
	batch    batchConn
	many     bool         // it is not one machine's
	to       *net.UDPAddr // to where a socket that is not connected sends
	away     bool         // its interface is down or gone: nothing is tried until it is back
	redial   time.Time
	slow     bool // the last frame was given up for want of room
	mtu      int
	sorry    throttle
	unmarked bool      // said that the DSCP cannot be set
	ms       []message // as many as a frame has datagrams
	reader   reader
	stats    DestinationStats
}

// DestinationStats are figures of one destination since the start.
type DestinationStats struct {
	Addr      string `json:"addr"`
	Interface string `json:"interface,omitempty"` // of a group or broadcast address, which is a destination on each
	Frames    uint64 `json:"frames"`              // sent to the last datagram
	Datagrams uint64 `json:"datagrams"`           // taken by the kernel
	Bytes     uint64 `json:"bytes"`               // of UDP payload
	Refused   uint64 `json:"refused"`             // told by ICMP that nothing listens there
	Unsent    uint64 `json:"unsent"`              // datagrams that could not be sent: no route, no room, too long
	Redials   uint64 `json:"redials"`             // times the socket was opened again
	Pings     uint64 `json:"pings"`               // came from viewers who ask for our clock
	Pongs     uint64 `json:"pongs"`               // of which were answered
}

// newDestination is the destination of an address, on a link if it is a group or
// 255.255.255.255. It has no socket yet.
func (s *Sender) newDestination(addr netip.AddrPort, on *link) *destination {
	d := &destination{
		addr: addr, link: on, dscp: s.cfg.DSCP, ttl: cmp.Or(s.cfg.TTL, 1), session: newSession(), sorry: newThrottle(s.cfg.Log),
		stats: DestinationStats{Addr: addr.String()},
	}
	d.reader.clock, d.reader.running, d.reader.session = s.clock, &s.readers, newSession()
	if on != nil {
		d.stats.Interface = on.Name
	}
	return d
}

// name says in the log who it is.
func (d *destination) name() string {
	if d.stats.Interface == "" {
		return d.stats.Addr
	}
	return d.stats.Addr + " on " + d.stats.Interface
}

func newSession() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:])
}

func (d *destination) v4() bool { return d.addr.Addr().Is4() }

func ipHeader(to netip.Addr) int {
	if to.Is4() {
		return ipv4.HeaderLen
	}
	return ipv6.HeaderLen
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
	mtu, err := 0, error(nil)
	if d.many {
		mtu, err = interfaceMTU(d.conn, d.stats.Interface)
	} else {
		mtu, err = pathMTU(d.conn, d.v4())
	}
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
		if d.away || now.Before(d.redial) {
			d.stats.Unsent += uint64(len(datagrams))
			return nil // said when it was tried
		}
		d.redial = now.Add(redialAfter)
		d.stats.Redials++
		if err := d.dial(); err != nil {
			d.stats.Unsent += uint64(len(datagrams))
			return err
		}
	}
	patience := sendPatience
	if d.slow {
		patience = slowPatience
	}
	d.conn.SetWriteDeadline(now.Add(patience))
	unsent, err := d.write(d.messages(datagrams))
	d.conn.SetWriteDeadline(time.Time{}) // or no ping could be answered between two frames
	d.slow = isLate(err)
	d.stats.Unsent += uint64(unsent)
	if unsent == 0 {
		d.stats.Frames++
	}
	if isUnreachable(err) { // its local address may be gone: a new socket chooses anew
		d.close()
		d.redial = now.Add(redialAfter)
	}
	if d.reader.refused.Swap(false) { // of datagrams before these: the reader met it first
		d.stats.Refused++
		err = cmp.Or(err, error(syscall.ECONNREFUSED))
	}
	return err
}

// messages lays header and payload side by side for sendmmsg: the picture is not
// copied.
func (d *destination) messages(datagrams []fragment.Datagram) []message {
	var to net.Addr
	if d.to != nil {
		to = d.to
	}
	for len(d.ms) < len(datagrams) {
		d.ms = append(d.ms, message{Buffers: make([][]byte, 2)})
	}
	for i, g := range datagrams {
		d.ms[i].Buffers[0], d.ms[i].Buffers[1] = g.Header, g.Payload
		d.ms[i].Addr = to
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
