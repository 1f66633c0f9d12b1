package udp

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp/batch"
	"github.com/framegram/framegram/udp/heal"
	"github.com/framegram/framegram/udp/pace"
)

const (
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
	guest   *guest // who has subscribed; nil for others
	link    *link  // where a group's, or 255.255.255.255's, datagrams leave by; nil for others
	dscp    int
	ttl     int // of a group's datagrams
	session uint64

	// mu guards what follows up to to, next and again: readers send by the socket, too. It is held
	// while a chunk is sent, so that the datagrams leave in the order of their numbers. What only Write
	// changes it reads without. Destinations that share a socket share it.
	mu     *sync.Mutex
	seq    uint64
	conn   *net.UDPConn // nil while it cannot be reached
	writer writer
	shared bool           // the socket belongs to a listener
	many   bool           // it is not one machine's
	to     netip.AddrPort // to where a socket that is not connected sends
	again  again

	batch    batch.Config
	away     bool // its interface is down or gone: nothing is tried until it is back
	redial   time.Time
	slow     bool  // the last frame was given up for want of room: the next waits until that has left
	lane     *lane // by which it sends
	guard    heal.Policy
	mtu      int
	sorry    throttle
	unmarked bool // said that the DSCP cannot be set
	reader   reader
	stats    DestinationStats

	// Of the frame that is being sent.
	path      pace.Path
	end       int   // datagrams that are for it: not the last of parity that it does not need
	next      int   // datagram
	took      int   // datagrams that the kernel has taken
	tookBytes int   // of UDP payload
	missed    int   // datagrams that could not be sent
	refused   bool  // a refusal was met
	err       error // the first
}

// writer is what batch.Writer does. Tests put trouble in its place.
type writer interface {
	Write(ds []fragment.Datagram, to netip.AddrPort) (n int, err error)
	WaitRoom(deadline time.Time) error
	Queued() int
	Offload() bool
}

// DestinationStats are figures of one destination since the start.
type DestinationStats struct {
	Addr       string `json:"addr"`
	Subscribed bool   `json:"subscribed,omitempty"`
	Interface  string `json:"interface,omitempty"` // of a group or broadcast address, which is a destination on each
	Frames     uint64 `json:"frames"`              // sent to the last datagram
	Datagrams  uint64 `json:"datagrams"`           // of frames, taken by the kernel; those sent again are in Repairs
	Bytes      uint64 `json:"bytes"`               // of UDP payload
	Refused    uint64 `json:"refused"`             // told by ICMP that nothing listens there
	Unsent     uint64 `json:"unsent"`              // datagrams that could not be sent: no route, no room, too long
	Skipped    uint64 `json:"skipped"`             // frames left out: the one before had not left yet, or they were larger than the viewer takes
	Redials    uint64 `json:"redials"`             // times the socket was opened again
	Pings      uint64 `json:"pings"`               // came from viewers who ask for our clock
	Pongs      uint64 `json:"pongs"`               // of which were answered
	Offload    bool   `json:"offload"`             // segmentation by kernel or card is on

	Parity  float64     `json:"parity"` // of the last frame, as a share of its data
	Loss    float64     `json:"loss"`   // share of datagrams that parity is chosen for (RepairAuto); 0 = next to none
	Repairs RepairStats `json:"repairs"`
}

// newDestination is the destination of an address, on a link if it is a group or
// 255.255.255.255. It has no socket yet.
func (s *Sender) newDestination(addr netip.AddrPort, on *link) *destination {
	d := &destination{
		addr: addr, link: on, dscp: s.cfg.DSCP, ttl: cmp.Or(s.cfg.TTL, 1), session: newSession(), sorry: newThrottle(s.cfg.Log),
		mu: &sync.Mutex{}, again: again{purse: purse{floor: repairFloor}, hears: &s.viewers},
		batch: batch.Config{NoOffload: s.cfg.NoOffload, Log: s.cfg.Log}, stats: DestinationStats{Addr: addr.String()},
	}
	d.reader.clock, d.reader.running, d.reader.session, d.reader.viewers = s.clock, &s.readers, newSession(), &s.viewers
	d.reader.resends = &s.resends
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

// udpHeader is the length of UDP's header in bytes (RFC 768).
const udpHeader = 8

func ipHeader(to netip.Addr) int {
	if to.Is4() {
		return ipv4.HeaderLen
	}
	return ipv6.HeaderLen
}

func (d *destination) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		d.hangUp(d.conn)
		d.conn = nil
	}
}

// overhead is what a datagram has more as an IP packet, in bytes.
func (d *destination) overhead() int { return overhead(d.addr.Addr()) }

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

// board gets d ready for a frame of n datagrams and size bytes, and reports whether it is to be sent
// there. The sequence numbers of a frame that cannot be sent are used up all the same, so that the
// viewer's count of what is missing is true; one that is left out, because the one before has not left
// the send buffer yet or it is larger than a guest takes, is no loss of the network's and uses none.
func (d *destination) board(now time.Time, n, size int) bool {
	d.end, d.next, d.took, d.tookBytes, d.missed, d.refused, d.err = n, 0, 0, 0, 0, false, nil
	if d.guest != nil && size > d.guest.maxFrame {
		d.stats.Skipped++
		return false
	}
	if d.conn == nil {
		if d.away || now.Before(d.redial) {
			d.use(n)
			d.stats.Unsent += uint64(n)
			return false // said when it was tried
		}
		d.redial = now.Add(redialAfter)
		d.stats.Redials++
		if d.err = d.dial(); d.err != nil {
			d.use(n)
			d.stats.Unsent += uint64(n)
			return false
		}
	}
	if d.slow && d.writer.Queued() > 0 {
		d.stats.Skipped++
		return false
	}
	d.slow = false
	d.mu.Lock()
	defer d.mu.Unlock()
	d.again.aloft = true
	return true
}

// use uses n sequence numbers up.
func (d *destination) use(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq += uint64(n)
}

// step sends datagrams from d.next on, most of them at the most. It returns the bytes of IP
// packets that the kernel took, and whether it has no room for more now. One refusal may
// concern an earlier frame, so the datagram is tried again; what another error concerns is
// skipped; what makes the rest pointless ends the frame. What is sent again meanwhile takes its
// numbers between two steps.
func (d *destination) step(now time.Time, cut *fragment.Splitter, datagrams []fragment.Datagram, most int) (bytes int, full bool) {
	some := datagrams[d.next:min(d.next+most, d.end)]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.again.lane = d.lane
	cut.Stamp(d.next, d.next+len(some), d.session, d.seq-uint64(d.next))
	n, err := d.writer.Write(some, d.to)
	for _, g := range some[:n] {
		bytes += len(g.Header) + len(g.Payload)
	}
	d.again.earn(now, bytes)
	d.stats.Bytes += uint64(bytes)
	d.stats.Datagrams += uint64(n)
	d.next, d.took, d.tookBytes, d.seq = d.next+n, d.took+n, d.tookBytes+bytes, d.seq+uint64(n)
	bytes += n * d.overhead()
	switch {
	case err == nil:
		return bytes, false
	case isFull(err):
		return bytes, true
	case d.err == nil:
		d.err = err
	}
	switch {
	case isRefused(err) && !d.refused:
		d.stats.Refused++
		d.refused = true
	case isRefused(err), isTooLong(err), isUnreachable(err), isLate(err):
		d.miss(d.end - d.next)
	default:
		d.miss(1)
	}
	return bytes, false
}

// miss goes on behind n datagrams that cannot be sent. mu is held.
func (d *destination) miss(n int) {
	d.next, d.missed, d.seq = d.next+n, d.missed+n, d.seq+uint64(n)
}

// giveUp ends a frame because of an error, or of none.
func (d *destination) giveUp(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.miss(d.end - d.next)
	if d.err == nil {
		d.err = why
	}
}

// land takes stock of a frame, and returns what went wrong.
func (d *destination) land(now time.Time) error {
	d.mu.Lock()
	d.again.aloft = false
	d.mu.Unlock()
	d.stats.Unsent += uint64(d.missed)
	if d.missed == 0 {
		d.stats.Frames++
	}
	d.slow = isLate(d.err)
	if isUnreachable(d.err) { // its local address may be gone: a new socket chooses anew
		d.close()
		d.redial = now.Add(redialAfter)
	}
	if d.reader.refused.Swap(false) { // of datagrams before these: the reader met it first
		d.stats.Refused++
		d.err = cmp.Or(d.err, error(syscall.ECONNREFUSED))
	}
	return d.err
}

// figures are d's, but for repairs.
func (d *destination) figures() DestinationStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	stats.Pings, stats.Pongs = d.reader.pings.Load(), d.reader.pongs.Load()
	stats.Offload = d.conn != nil && d.writer.Offload()
	return stats
}

// repaired is what came of requests for repair up to now. It may be called from any goroutine.
func (d *destination) repaired() RepairStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.again.stats
}
