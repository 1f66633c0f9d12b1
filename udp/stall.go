package udp

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// stallAfter is how long datagrams of a stream come without a complete frame before that is said: a person who
	// sees no picture should not have to guess why.
	stallAfter = 2 * time.Second
	// stallSilence is how long no datagram has come when there is no stream any more, but silence.
	stallSilence = time.Second
)

// stall watches for a stream of which datagrams come and no frame becomes complete. It reads no clock.
type stall struct {
	session  uint64
	complete uint64    // frames, by then
	began    time.Time // of the time without another one, or of the measurement
	bytes    uint64    // of UDP payload, then
	received uint64    // datagrams, then
	missing  uint64
	drops    uint64

	heard time.Time // when received grew last
	last  uint64    // received then
	said  bool
	text  string // what there is to say now; empty if nothing
}

// look takes what has come of the stream that is followed, or would be if it completed a frame, with all bytes and
// kernel drops so far. It returns true when there is something to say that was not said before.
func (s *stall) look(now time.Time, p *fragment.Progress, bytes, drops uint64) (news bool) {
	if s.session != p.Session || s.complete != p.Complete || p.Received < s.last || s.heard.IsZero() || now.Sub(s.heard) >= stallSilence {
		said := s.said && s.session == p.Session && s.complete == p.Complete
		*s = stall{session: p.Session, complete: p.Complete, heard: now, last: p.Received, said: said}
		s.measure(now, p, bytes, drops)
		return false
	}
	if p.Received != s.last {
		s.heard, s.last = now, p.Received
	}
	elapsed := now.Sub(s.began)
	if elapsed < stallAfter {
		return false
	}
	s.text = s.say(elapsed, p, bytes, drops)
	s.measure(now, p, bytes, drops)
	news, s.said = !s.said, true
	return news
}

func (s *stall) measure(now time.Time, p *fragment.Progress, bytes, drops uint64) {
	s.began, s.bytes, s.received, s.missing, s.drops = now, bytes, p.Received, p.Missing, drops
}

// say puts it into words, with what can be done.
func (s *stall) say(elapsed time.Duration, p *fragment.Progress, bytes, drops uint64) string {
	received, missing := float64(p.Received-s.received), max(float64(p.Missing)-float64(s.missing), 0)
	rate := float64(bytes-s.bytes) * 8 / elapsed.Seconds()
	text := fmt.Sprintf("datagrams arrive at %.3g Mbit/s", rate/1e6)
	if missing > 0 && received > 0 {
		text = fmt.Sprintf("datagrams arrive at %.3g of %.3g Mbit/s", rate/1e6, rate*(received+missing)/received/1e6)
	}
	text += ", no frame complete: "
	switch {
	case float64(drops-s.drops) > missing/2 && drops > s.drops:
		return text + "this machine drops them, since its receive buffer is full"
	case missing > 0.02*(received+missing):
		return text + "the network carries less than is sent, or loses more than can be repaired; " +
			"a lower --bitrate, --size or --fps at the sender helps"
	}
	return text + "a frame takes longer than a second to arrive; " +
		"a lower --bitrate, --size or --quality at the sender helps"
}

// stalled looks whether the stream that comes completes no frame, and says so once.
func (r *Receiver) stalled(now time.Time) {
	r.mu.Lock()
	p, ok := r.incoming(now)
	news, text := false, ""
	if ok {
		news = r.stall.look(now, &p, r.stats.Bytes, r.stats.KernelDrops)
		text = r.stall.text
	} else {
		r.stall = stall{}
	}
	r.stats.Stalled = r.stall.text
	r.mu.Unlock()
	if news {
		r.log.Warn(text, slog.String("from", p.From.String()))
	}
}

// incoming is the progress of the source that is followed, while it sends, or else of the first candidate. mu is
// held.
func (r *Receiver) incoming(now time.Time) (p fragment.Progress, ok bool) {
	r.candidates.seen = r.frames.Candidates(now, r.candidates.seen[:0])
	if len(r.candidates.seen) > 0 {
		return r.candidates.seen[0], true
	}
	return r.frames.Progress()
}
