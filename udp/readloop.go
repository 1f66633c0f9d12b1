package udp

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/framegram/framegram/fragment"
)

// run reads until the socket is closed. No datagram, and no error of the network,
// ends it.
func (r *Receiver) run() {
	defer r.running.Done()
	ms := readMessages(dropsSpace + r.toSpace)
	for {
		n, err := r.batch.ReadBatch(ms, 0)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			n = 0 // a frame's deadline
		case err != nil:
			r.readError(err)
			continue
		}
		due, notes := r.take(ms[:n], time.Now())
		r.conn.SetReadDeadline(due)
		r.tell(notes)
	}
}

// notes are what a batch gives reason to say, kept until mu is free again.
type notes struct {
	version     int            // another version of the protocol that was seen, or 0
	versionFrom netip.AddrPort // who spoke it
	followed    netip.AddrPort // whose frame came last
}

func (r *Receiver) tell(n notes) {
	if n.version != 0 {
		r.versions.warn("a sender speaks another version of the protocol: update the older side",
			slog.String("from", n.versionFrom.String()), slog.Int("its_version", n.version), slog.Int("our_version", fragment.Version))
	}
	if n.followed.IsValid() && n.followed != r.followed {
		r.followed = n.followed
		r.log.Info("receiving", slog.String("from", n.followed.String()))
	}
}

// readMessages are batchSize messages with room for any datagram and for the
// kernel's notes on it, of oob bytes. Only pages that datagrams really fill become resident.
func readMessages(oob int) []message {
	ms := make([]message, batchSize)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, maxDatagram)}
		ms[i].OOB = make([]byte, oob)
	}
	return ms
}

// take hands a batch's datagrams to the reassembler, and whole frames to the
// mailbox. It returns when the next frame in progress is due to be given up.
func (r *Receiver) take(ms []message, now time.Time) (due time.Time, said notes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ms {
		m := &ms[i]
		if total, ok := drops(m.OOB[:m.NN]); ok {
			r.stats.KernelDrops += uint64(total - r.last) // modulo 2^32
			r.last = total
		}
		if r.toSpace > 0 && !r.forGroup(m.OOB[:m.NN]) {
			r.stats.Elsewhere++
			continue
		}
		r.silence.heard(now)
		r.datagram(unmap(m.Addr.(*net.UDPAddr).AddrPort()), m.Buffers[0][:m.N], now, &said)
	}
	return r.frames.Expire(now), said
}

func (r *Receiver) datagram(from netip.AddrPort, b []byte, now time.Time, said *notes) {
	r.stats.Datagrams++
	r.stats.Bytes += uint64(len(b))
	c, err := fragment.ParseCommon(b)
	switch {
	case errors.Is(err, fragment.ErrVersion):
		said.version, said.versionFrom = fragment.VersionOf(b), from
	case err == nil && c.Type != fragment.TypeData:
		r.stats.Control++
		r.pong(from, b, now)
		return
	}
	if f := r.frames.Push(now, from, b); f != nil {
		said.followed = from
		if r.pinger.follow(now, from, r.frames.Counters().Takeovers) {
			select {
			case r.news <- struct{}{}:
			default:
			}
		}
		r.box.Put(f)
	}
}

// readError counts what went wrong and waits a moment, lest a lasting error takes
// the whole processor.
func (r *Receiver) readError(err error) {
	r.mu.Lock()
	r.stats.ReadErrors++
	r.mu.Unlock()
	r.errors.warn("reading datagrams", slog.Any("error", err))
	time.Sleep(5 * time.Millisecond)
}
