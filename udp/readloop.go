package udp

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/framegram/framegram/fragment"
)

// run reads until the socket is closed. No datagram, and no error of the network,
// ends it.
func (r *Receiver) run() {
	defer close(r.done)
	ms := readMessages()
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
		r.conn.SetReadDeadline(r.take(ms[:n], time.Now()))
	}
}

// readMessages are batchSize messages with room for any datagram and for the
// kernel's drop counter. Only pages that datagrams really fill become resident.
func readMessages() []message {
	ms := make([]message, batchSize)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, maxDatagram)}
		ms[i].OOB = make([]byte, dropsSpace)
	}
	return ms
}

// take hands a batch's datagrams to the reassembler, and whole frames to the
// mailbox. It returns when the next frame in progress is due to be given up.
func (r *Receiver) take(ms []message, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ms {
		m := &ms[i]
		if total, ok := drops(m.OOB[:m.NN]); ok {
			r.stats.KernelDrops += uint64(total - r.last) // modulo 2^32
			r.last = total
		}
		r.datagram(m.Addr.(*net.UDPAddr), m.Buffers[0][:m.N], now)
	}
	return r.frames.Expire(now)
}

func (r *Receiver) datagram(from *net.UDPAddr, b []byte, now time.Time) {
	r.stats.Datagrams++
	r.stats.Bytes += uint64(len(b))
	c, err := fragment.ParseCommon(b)
	switch {
	case errors.Is(err, fragment.ErrVersion):
		r.sorry.warn("a sender speaks another version of the protocol: update the older side",
			slog.String("from", from.String()), slog.Int("its_version", fragment.VersionOf(b)), slog.Int("our_version", fragment.Version))
	case err == nil && c.Type != fragment.TypeData:
		r.stats.Control++
		return
	}
	addr := unmap(from.AddrPort())
	before := r.frames.Followed()
	f := r.frames.Push(now, addr, b)
	if f == nil {
		return
	}
	if before != addr {
		r.log.Info("receiving", slog.String("from", addr.String()))
	}
	r.box.Put(f)
}

// readError counts what went wrong and waits a moment, lest a lasting error takes
// the whole processor.
func (r *Receiver) readError(err error) {
	r.mu.Lock()
	r.stats.ReadErrors++
	r.sorry.warn("reading datagrams", slog.Any("error", err))
	r.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
}
