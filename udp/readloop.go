package udp

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/udp/batch"
)

// run reads until the socket is closed. No datagram, and no error of the network,
// ends it.
func (r *Receiver) run() {
	defer r.running.Done()
	var due time.Time
	for {
		ps, err := r.batch.Read()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			ps = nil // a frame's deadline
		case err != nil && r.nobody(err):
			continue
		case err != nil:
			r.readError(err)
			continue
		}
		next, notes := r.take(ps, time.Now())
		if len(notes.reply) > 0 {
			r.conn.WriteToUDPAddrPort(notes.reply, numbered(notes.replyTo)) // or it is sent with the next Hello
		}
		r.request()
		r.tellCandidates()
		if next != due {
			due = next
			r.conn.SetReadDeadline(due)
		}
		r.tell(notes)
	}
}

// notes are what a batch gives reason to say, kept until mu is free again.
type notes struct {
	version     int            // another version of the protocol that was seen, or 0
	versionFrom netip.AddrPort // who spoke it
	followed    netip.AddrPort // whose frame came last
	reply       []byte         // what is to be answered at once
	replyTo     netip.AddrPort
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

// take hands a batch's datagrams to the reassembler, and whole frames to the
// mailbox. It returns when the next frame in progress is due to be given up.
func (r *Receiver) take(ps []batch.Packet, now time.Time) (due time.Time, said notes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if total, ok := r.batch.Drops(); ok {
		r.stats.KernelDrops += uint64(total - r.last) // modulo 2^32
		r.last = total
	}
	for i := range ps {
		p := &ps[i]
		if r.noted && !r.forGroup(p) {
			r.stats.Elsewhere++
			continue
		}
		if r.ask != nil && !sameMachine(p.From, r.ask.peer) {
			r.stats.Elsewhere++
			continue
		}
		r.silence.heard(now)
		r.datagram(p.From, p.B, now, &said)
	}
	due = r.frames.Expire(now)
	if len(ps) > 0 {
		r.watch()
		r.reportCandidates(now)
	}
	if again := r.wanted(now); !again.IsZero() && again.Before(due) {
		due = again
	}
	if f := r.frames.Filled(); f != nil {
		r.account(f)
		r.box.Put(f)
	}
	return due, said
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
		if r.ask != nil {
			if reply := r.ask.hear(b, now, r.out[:0]); len(reply) > 0 { // what comes behind it in the batch does not undo it
				said.reply, said.replyTo = reply, from
			}
		}
		return
	}
	if r.ask != nil && err == nil {
		r.ask.data(now)
	}
	if f := r.frames.Push(now, from, b); f != nil {
		said.followed = from
		if r.pinger.follow(now, from, r.frames.Counters().Takeovers) {
			select {
			case r.news <- struct{}{}:
			default:
			}
		}
		r.account(f)
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
