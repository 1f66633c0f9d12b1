package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// autoMTU is the largest IP packet used unasked, in bytes: Ethernet's. Loopback's
// 65535 and jumbo frames are taken only when configured.
const autoMTU = 1500

// Sender is a stream.Sink that sends every frame to each of its addresses. A frame
// is cut once, whatever their number. A destination in trouble loses its own frames;
// one whose link is too slow delays the others by 250 ms once, and then by 5 ms a
// frame at most. It answers who asks for its clock.
type Sender struct {
	cfg   SenderConfig
	cut   *fragment.Splitter
	frame uint32 // next wire frame ID
	dests []*destination
	clock wireClock

	crowds  []*crowd
	look    *lookout // nil without crowds
	seen    *[]link  // by which the crowds were arranged
	began   bool     // NewSender is over
	readers sync.WaitGroup
	closed  sync.Once

	stats SenderStats // without To
	sorry throttle    // about frames; each destination has its own
	mtuAt time.Time   // when the MTU was read last

	mu        sync.Mutex // guards published, for Stats
	published SenderStats
}

// SenderStats are figures since the start.
type SenderStats struct {
	Frames   uint64             `json:"frames"`    // sent, in part at least, to at least one destination
	Unsent   uint64             `json:"unsent"`    // of which no destination could be sent a single datagram
	TooLarge uint64             `json:"too_large"` // frames skipped: over the limit
	MTU      int                `json:"mtu"`       // bytes of IP packet that frames are cut for
	Shard    int                `json:"shard"`     // bytes of frame per datagram
	To       []DestinationStats `json:"to"`
}

// NewSender opens a socket for each address, and for each interface of a group. What
// cannot be reached now is tried again while frames are sent. What cannot be used is a
// *ConfigError.
func NewSender(cfg SenderConfig) (*Sender, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	all, err := links()
	if err != nil {
		return nil, fmt.Errorf("udp: listing the network interfaces: %w", err)
	}
	cut, err := fragment.NewSplitter(fragment.ShardUnit)
	if err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, cut: cut, clock: newWireClock(time.Now()), sorry: newThrottle(cfg.Log)}
	if s.crowds, err = cfg.crowds(all); err != nil {
		return nil, err
	}
	if err := s.open(all); err != nil {
		s.Close()
		return nil, err
	}
	if len(s.crowds) > 0 {
		s.look = newLookout(all)
		s.seen = s.look.seen.Load()
	}
	s.began = true
	s.fit(time.Now())
	s.publish()
	return s, nil
}

func (s *Sender) open(all []link) error {
	for _, a := range s.cfg.To {
		a = unmap(a)
		if a.Addr().IsMulticast() || a.Addr() == limitedBroadcast {
			continue
		}
		d := s.newDestination(a, nil)
		if err := d.dial(); err != nil && !isUnreachable(err) {
			return fmt.Errorf("udp: %w", err)
		}
		s.dests = append(s.dests, d)
	}
	s.arrange(all)
	return nil
}

// follow takes note of interfaces that came, went or changed.
func (s *Sender) follow() {
	if s.look == nil {
		return
	}
	now := s.look.seen.Load()
	if now == s.seen {
		return
	}
	s.seen = now
	s.arrange(*now)
}

// Write implements stream.Sink: it sends f to every destination and returns when
// the kernel has taken the last datagram. Trouble with the network is counted, not
// returned; a frame over the limit is skipped, counted and said.
func (s *Sender) Write(ctx context.Context, f *stream.Frame) error {
	defer s.publish()
	s.follow()
	if now := time.Now(); now.Sub(s.mtuAt) >= time.Second {
		s.fit(now)
	}
	captured := s.clock.micros(f.Captured.Add(-f.Ahead))
	datagrams, err := s.cut.Split(s.frame, captured, f.JPEG)
	var large *fragment.FrameTooLargeError
	switch {
	case errors.As(err, &large):
		s.stats.TooLarge++
		s.sorry.warn("frame skipped: lower the quality or the size", slog.Int("bytes", large.Size), slog.Int("limit_bytes", large.Max))
		return nil
	case err != nil:
		return err
	}
	s.frame++
	went := false
	for _, d := range s.dests {
		before := d.stats.Datagrams
		if err := d.send(s.cut, datagrams); err != nil {
			s.trouble(d, err)
		}
		went = went || d.stats.Datagrams > before
		if ctx.Err() != nil {
			break // what was sent counts; the caller knows that it is over
		}
	}
	if went {
		s.stats.Frames++
		if s.cfg.Sent != nil {
			s.cfg.Sent(f, captured, time.Now())
		}
	} else {
		s.stats.Unsent++
	}
	return nil
}

// trouble says what went wrong and has the MTU read again where that was it.
func (s *Sender) trouble(d *destination, err error) {
	if isTooLong(err) {
		s.mtuAt = time.Time{}
		d.sorry.warn("datagrams are larger than the path takes: cutting smaller ones from the next frame on",
			slog.String("to", d.name()), slog.Int("mtu_bytes", s.stats.MTU))
		return
	}
	d.sorry.warn(explain(err), slog.String("to", d.name()), slog.Any("error", err))
}

// fit chooses the shard size by the smallest MTU of all paths. Frames cut from now
// on use it.
func (s *Sender) fit(now time.Time) {
	s.mtuAt = now
	mtu, shard := cmp.Or(s.cfg.MTU, autoMTU), fragment.MaxShard
	for _, c := range s.crowds { // it may have no interface now
		shard = min(shard, fragment.ShardFor(mtu, ipHeader(c.addr.Addr())))
	}
	for _, d := range s.dests {
		d.mtu = mtu
		if d.away {
			continue
		}
		path := mtu
		if known := d.pathMTU(); known >= fragment.MinMTU { // what a broken ICMP message claims below that is ignored
			path = min(mtu, known)
		}
		d.mtu = path
		shard = min(shard, fragment.ShardFor(path, ipHeader(d.addr.Addr())))
	}
	for _, d := range s.dests {
		mtu = min(mtu, d.mtu)
	}
	if s.stats.Shard != 0 && shard != s.stats.Shard {
		s.sorry.log.Info("datagram size changed", slog.Int("mtu_bytes", mtu), slog.Int("shard_bytes", shard))
	}
	if err := s.cut.SetShard(shard); err != nil {
		s.sorry.warn("keeping the datagram size", slog.Any("error", err)) // cannot be: ShardFor gives valid sizes
	}
	s.stats.MTU, s.stats.Shard = mtu, s.cut.Shard()
}

// publish makes the figures visible to Stats.
func (s *Sender) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.published.To[:0]
	for _, d := range s.dests {
		stats := d.stats
		stats.Pings, stats.Pongs = d.reader.pings.Load(), d.reader.pongs.Load()
		to = append(to, stats)
	}
	s.published = s.stats
	s.published.To = to
}

// Stats are the figures up to the last frame. It may be called at any time, from any
// goroutine, and does not wait for a frame being sent.
func (s *Sender) Stats() SenderStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.published
	stats.To = slices.Clone(stats.To)
	return stats
}

// Close closes the sockets and waits for their readers. It must not be called during
// Write; it may be called more than once.
func (s *Sender) Close() error {
	s.closed.Do(func() {
		if s.look != nil {
			s.look.close()
		}
		for _, d := range s.dests {
			d.close()
		}
		s.readers.Wait()
	})
	return nil
}

// wireClock gives wire times: wall time when the sender started, advanced by the
// monotonic clock, so that setting the clock does not bend latencies.
type wireClock struct{ start time.Time }

func newWireClock(now time.Time) wireClock { return wireClock{now} }

// micros is t in µs since the Unix epoch. A time without a monotonic reading (of a
// recording, of another machine) is taken as it is.
func (c wireClock) micros(t time.Time) int64 {
	return c.start.UnixMicro() + t.Sub(c.start).Microseconds()
}
