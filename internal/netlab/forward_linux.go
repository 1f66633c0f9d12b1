package netlab

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxMemory = 128 << 20 // bytes of packets on the way in one direction
	readBatch = 32        // packets taken before it is looked at what is due
	slotChunk = 64        // packets' memory allocated at once
	lateness  = time.Millisecond
)

// forwarder is one direction. All but what is said otherwise belongs to its thread.
type forwarder struct {
	from, to *tun
	wake     int // an eventfd that is readable once the link closes
	closing  atomic.Bool
	params   atomic.Pointer[Params] // with defaults, set from outside
	done     chan struct{}

	start         time.Time     // of the times, which are the same for both directions
	first         *atomic.Int64 // when either carried its first packet, +1; zero = none yet
	fates         fates
	seed          uint64
	direction     int
	line          line
	waiting, held fifo // what is on the line or in the delay; what is held back besides
	counts        Counts

	poll    [2]unix.PollFd
	timeout unix.Timespec
	buffer  [65536]byte // the packet that is looked at
	free    [][]byte    // memory for packets, of slot bytes each
	slot    int
	slots   int // allocated

	mu        sync.Mutex
	published Counts // for Stats
}

func newForwarder(from, to *tun, wake, direction int, p *Params, start time.Time, first *atomic.Int64) *forwarder {
	f := &forwarder{from: from, to: to, wake: wake, direction: direction, done: make(chan struct{}), start: start, first: first, slot: 2048}
	f.seed, f.fates = p.Seed, newFates(p.Seed, direction)
	f.params.Store(p)
	f.poll = [2]unix.PollFd{{Fd: int32(from.fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	return f
}

// run forwards until the link closes or a device is deleted by somebody inside.
func (f *forwarder) run() {
	defer close(f.done)
	beQuick()
	alive := true
	for alive && !f.closing.Load() {
		alive = f.take()
		f.release()
		f.publish()
		f.sleep()
	}
}

// beQuick makes the calling thread's sleeps exact: by default the kernel lets them take
// 50 µs more (PR_SET_TIMERSLACK of prctl(2)), and busy ends on the same machine would
// let them take milliseconds more. The latter needs root; without it the link is as
// exact as the load permits, and Counts.Late tells.
func beQuick() {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}, 0)
}

func (f *forwarder) now() time.Duration { return time.Since(f.start) }

// take reads what the sender's device has, and reports whether there is a device.
func (f *forwarder) take() bool {
	for range readBatch {
		n, err := unix.Read(f.from.fd, f.buffer[:])
		switch err {
		case nil:
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return true
		default:
			return false
		}
		if b := f.buffer[:n]; chatter(b) {
			f.counts.Ignored++
		} else {
			f.enter(b, f.now())
		}
	}
	return true
}

// enter puts a packet, which is borrowed, on its way.
func (f *forwarder) enter(b []byte, now time.Duration) {
	p, c := f.params.Load(), &f.counts
	if p.Seed != f.seed {
		f.seed, f.fates = p.Seed, newFates(p.Seed, f.direction)
	}
	if c.Packets == 0 {
		f.first.CompareAndSwap(0, int64(now)+1)
		f.line.first = time.Duration(f.first.Load() - 1)
	}
	c.Packets++
	c.Bytes += uint64(len(b))
	fate := f.fates.next(p)
	sent, queued, room := f.line.enter(p, now, len(b))
	if !room {
		c.TailDropped++
		return
	}
	c.QueueMax = max(c.QueueMax, queued)
	if fate.lost {
		c.Lost++
		return
	}
	due := f.line.delay(p, sent, fate.jitter)
	queue := &f.waiting
	if fate.held {
		c.Reordered++
		due += Hold
		queue = &f.held
	}
	if due <= now && f.waiting.n == 0 && f.held.n == 0 {
		f.deliver(b, fate.duplicated)
		return
	}
	slot := f.memory(len(b))
	if slot == nil {
		c.Failed++
		return
	}
	queue.push(packet{append(slot, b...), due, fate.duplicated})
}

// memory is room for n bytes, or nil when all that may be used is.
func (f *forwarder) memory(n int) []byte {
	if n > f.slot {
		f.slot, f.free, f.slots = len(f.buffer), nil, f.waiting.n+f.held.n
	}
	if len(f.free) == 0 {
		if (f.slots+slotChunk)*f.slot > maxMemory {
			return nil
		}
		chunk := make([]byte, slotChunk*f.slot)
		for i := range slotChunk {
			f.free = append(f.free, chunk[i*f.slot:][:0:f.slot])
		}
		f.slots += slotChunk
	}
	last := len(f.free) - 1
	slot := f.free[last]
	f.free = f.free[:last]
	return slot
}

// next is the queue whose first packet is due first, or nil.
func (f *forwarder) next() *fifo {
	switch w, h := &f.waiting, &f.held; {
	case w.n == 0 && h.n == 0:
		return nil
	case h.n == 0 || w.n > 0 && w.at(0).due <= h.at(0).due:
		return w
	default:
		return h
	}
}

// release lets go of everything that is due.
func (f *forwarder) release() {
	now := f.now()
	for q := f.next(); q != nil && q.at(0).due <= now; q = f.next() {
		p := q.pop()
		late := now - p.due
		if late > lateness {
			f.counts.Late++
		}
		f.counts.LateMax = max(f.counts.LateMax, late)
		f.deliver(p.data, p.twice)
		if cap(p.data) == f.slot { // else it is from before a larger packet came
			f.free = append(f.free, p.data[:0])
		}
	}
}

// deliver gives a packet, which is borrowed, to the receiver's device.
func (f *forwarder) deliver(b []byte, twice bool) {
	copies := 1
	if twice {
		copies = 2
		f.counts.Duplicated++
	}
	for range copies {
		if _, err := unix.Write(f.to.fd, b); err != nil {
			f.counts.Failed++ // the device is down, or there is no memory
			continue
		}
		f.counts.Delivered++
		f.counts.DeliveredBytes += uint64(len(b))
	}
}

// sleep waits for a packet, for the next release, or for the end. Its timeout is
// relative, but computed anew from an absolute time: errors do not add up.
func (f *forwarder) sleep() {
	var timeout *unix.Timespec
	if q := f.next(); q != nil {
		left := q.at(0).due - f.now()
		if left <= 0 {
			return
		}
		f.timeout = unix.NsecToTimespec(int64(left))
		timeout = &f.timeout
	}
	unix.Ppoll(f.poll[:], timeout, nil)
}

func (f *forwarder) publish() {
	f.counts.Waiting = uint64(f.waiting.n + f.held.n)
	f.mu.Lock()
	f.published = f.counts
	f.mu.Unlock()
}

// stats may be called from anywhere until the devices are closed.
func (f *forwarder) stats() Counts {
	f.mu.Lock()
	c := f.published
	f.mu.Unlock()
	c.Missed = f.from.missed()
	return c
}

// chatter reports whether the kernel made the packet of its own accord, to tell routers
// and neighbours what nobody here needs: it comes at odd times and would shift who is lost.
func chatter(b []byte) bool {
	const igmp, hopByHop, icmp6 = 2, 0, 58
	switch {
	case len(b) < 20:
		return true // no packet at all
	case b[0]>>4 == 4:
		return b[9] == igmp
	case b[0]>>4 != 6 || len(b) < 48:
		return true
	case b[6] == hopByHop: // MLD carries a router alert (RFC 3810, section 5)
		return b[40] == icmp6
	case b[6] == icmp6: // MLD 130-132 and 143, router and neighbour discovery 133-137
		return b[40] >= 130 && b[40] <= 137 || b[40] == 143
	}
	return false
}
