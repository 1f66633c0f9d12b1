package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// autoMTU is the largest IP packet used unasked, in bytes: Ethernet's. Loopback's
// 65535 and jumbo frames are taken only when configured.
const autoMTU = 1500

// SenderConfig configures NewSender.
type SenderConfig struct {
	To   []netip.AddrPort // 1 or more unicast addresses
	MTU  int              // largest IP packet in bytes, 576..65535; zero means the path's, at most 1500
	DSCP int              // 0..63 in the IP header (RFC 2474); zero is best effort, 34 is AF41
	Log  *slog.Logger     // nil means discard
}

func (c SenderConfig) check() error {
	switch {
	case len(c.To) == 0:
		return errors.New("udp: To is empty, want at least one address")
	case c.MTU != 0 && (c.MTU < fragment.MinMTU || c.MTU > fragment.MaxMTU):
		return fmt.Errorf("udp: MTU is %d, want %d..%d, or 0 for the path's", c.MTU, fragment.MinMTU, fragment.MaxMTU)
	case c.DSCP < 0 || c.DSCP > 63:
		return fmt.Errorf("udp: DSCP is %d, want 0..63", c.DSCP)
	}
	for i, a := range c.To {
		switch {
		case !a.IsValid() || a.Port() == 0:
			return fmt.Errorf("udp: To[%d] is %v, want an address with a port", i, a)
		case !unicast(a.Addr()):
			return fmt.Errorf("udp: %v is not one machine's address, and this version sends to no others: name each viewer's address", a)
		}
	}
	return nil
}

// unicast tells addresses of one machine from groups, broadcasts and none.
func unicast(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && a.Unmap() != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// Sender is a stream.Sink that sends every frame to each of its addresses. A frame
// is cut once, whatever their number. A destination in trouble loses its own frames;
// one whose link is too slow delays the others by 250 ms once, and then by 5 ms a
// frame at most.
type Sender struct {
	cfg   SenderConfig
	cut   *fragment.Splitter
	frame uint32 // next wire frame ID
	dests []*destination
	clock wireClock
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

// NewSender opens a socket for each address. An address that cannot be reached now
// is tried again while frames are sent.
func NewSender(cfg SenderConfig) (*Sender, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cut, err := fragment.NewSplitter(fragment.ShardUnit)
	if err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, cut: cut, clock: newWireClock(time.Now()), sorry: newThrottle(cfg.Log)}
	for _, a := range cfg.To {
		d, err := newDestination(a, cfg)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.dests = append(s.dests, d)
		if err := d.mark(); err != nil {
			d.sorry.warn("datagrams go out without their DSCP", slog.String("to", a.String()), slog.Int("dscp", cfg.DSCP), slog.Any("error", err))
		}
	}
	s.fit(time.Now())
	s.publish()
	return s, nil
}

// Write implements stream.Sink: it sends f to every destination and returns when
// the kernel has taken the last datagram. Trouble with the network is counted, not
// returned; a frame over the limit is skipped, counted and said.
func (s *Sender) Write(ctx context.Context, f *stream.Frame) error {
	defer s.publish()
	if now := time.Now(); now.Sub(s.mtuAt) >= time.Second {
		s.fit(now)
	}
	datagrams, err := s.cut.Split(s.frame, s.clock.micros(f.Captured), f.JPEG)
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
			slog.String("to", d.addr.String()), slog.Int("mtu_bytes", s.stats.MTU))
		return
	}
	d.sorry.warn(explain(err), slog.String("to", d.addr.String()), slog.Any("error", err))
}

// fit chooses the shard size by the smallest MTU of all paths. Frames cut from now
// on use it.
func (s *Sender) fit(now time.Time) {
	s.mtuAt = now
	mtu, shard := cmp.Or(s.cfg.MTU, autoMTU), fragment.MaxShard
	for _, d := range s.dests {
		path := mtu
		if known := d.pathMTU(); known >= fragment.MinMTU { // what a broken ICMP message claims below that is ignored
			path = min(mtu, known)
		}
		d.mtu = path
		shard = min(shard, fragment.ShardFor(path, d.ipHeader()))
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
		to = append(to, d.stats)
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

// Close closes the sockets. It must not be called during Write.
func (s *Sender) Close() error {
	for _, d := range s.dests {
		d.close()
	}
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
