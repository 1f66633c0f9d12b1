package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp/pace"
)

// Sender is a stream.Sink that sends every frame to each of its addresses, and to the
// viewers who subscribe. A frame is cut once, whatever their number. A destination in
// trouble, or on a slow link, loses its own frames and no other's. It answers who asks for
// its clock, and hears what viewers report.
type Sender struct {
	cfg        SenderConfig
	cut        *fragment.Splitter
	frame      uint32 // next wire frame ID
	dests      []*destination
	aboard     []*destination // those the frame in hand goes to
	lanes      []*lane
	flight     flight
	rhythm     pace.Rhythm
	generation fragment.Generation
	shield     shield
	clock      wireClock

	all   []link // see interfaces
	allAt time.Time

	crowds []*crowd
	look   *lookout // nil without crowds
	seen   *[]link  // by which the crowds were arranged
	began  bool     // NewSender is over

	house     *house // nil where nobody may subscribe
	listeners []*listener
	viewers   viewers
	resends   resender

	readers sync.WaitGroup
	closed  sync.Once

	stats SenderStats // without To
	log   *scribe
	sorry throttle  // about frames; each destination has its own
	mtuAt time.Time // when the MTU was read last

	mu        sync.Mutex // guards these two, for Stats
	published SenderStats
	told      []*destination // those of published.To
}

// NewSender opens a socket for each address, and for each interface of a group. What
// cannot be reached now is tried again while frames are sent. What cannot be used is a
// *ConfigError.
func NewSender(cfg SenderConfig) (*Sender, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	log := newScribe(cfg.Log)
	cfg.Log = log.log
	all, err := links()
	if err != nil {
		return nil, fmt.Errorf("udp: listing the network interfaces: %w", err)
	}
	cut, err := fragment.NewSplitter(fragment.ShardUnit)
	if err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, cut: cut, clock: newWireClock(time.Now()), sorry: newThrottle(cfg.Log), log: log}
	s.viewers.reported = cfg.Reported
	s.arm()
	s.resends.on = cfg.Repair == RepairNACK || cfg.Repair == RepairAuto
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
		s.enlist(d)
	}
	s.arrange(all)
	return s.listen()
}

// listen opens the house.
func (s *Sender) listen() error {
	if len(s.cfg.Listen) == 0 {
		return nil
	}
	s.house = newHouse(cmp.Or(s.cfg.MaxViewers, DefaultMaxViewers), s.cfg.Log, time.Now())
	s.house.start(&s.readers)
	for _, at := range s.cfg.Listen {
		l, err := openListener(unmap(at))
		if err != nil {
			return &ListenError{at, err}
		}
		s.listeners = append(s.listeners, l)
		l.reader.resends = &s.resends
		l.start(s.clock, &s.readers, s.house, &s.viewers)
	}
	return nil
}

// LocalAddrs are the addresses that viewers may subscribe at, with their real ports.
func (s *Sender) LocalAddrs() (all []netip.AddrPort) {
	for _, l := range s.listeners {
		all = append(all, l.addr)
	}
	return all
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
// the kernel has taken the last datagram, which the pace may put off. Trouble with the
// network is counted, not returned; a frame over the limit is skipped, counted and said.
func (s *Sender) Write(ctx context.Context, f *stream.Frame) error {
	defer s.publish()
	s.follow()
	now := time.Now()
	s.attend(now)
	if now.Sub(s.mtuAt) >= time.Second {
		s.fit(now)
	}
	if len(s.dests) == 0 { // nobody has come yet
		s.frame++
		s.stats.Unsent++
		return nil
	}
	captured := s.clock.micros(f.Captured.Add(-f.Ahead))
	s.tell(f.JPEG)
	s.protect(now)
	datagrams, err := s.cut.Split(s.frame, captured, f.JPEG)
	if err != nil {
		return s.unfit(err)
	}
	s.resends.keep(s.frame, f, s.cut, now)
	s.frame++
	if s.house != nil {
		s.house.frame(len(f.JPEG))
	}
	if !s.send(ctx, now, datagrams, len(f.JPEG)) {
		s.stats.Unsent++
		return nil
	}
	s.stats.Frames++
	if s.cfg.Sent != nil {
		s.cfg.Sent(f, captured, time.Now())
	}
	return nil
}

// unfit skips a frame that could not be cut because it is too large.
func (s *Sender) unfit(err error) error {
	var large *fragment.FrameTooLargeError
	if !errors.As(err, &large) {
		return err
	}
	s.stats.TooLarge++
	s.sorry.warn("frame skipped: lower the quality or the size", slog.Int("bytes", large.Size), slog.Int("limit_bytes", large.Max))
	return nil
}

// send sends the frame that was cut last to all destinations, and reports whether any
// of it went anywhere.
func (s *Sender) send(ctx context.Context, now time.Time, datagrams []fragment.Datagram, size int) (went bool) {
	before := s.stats.Datagrams
	s.board(now, datagrams, size)
	s.flight = flight{
		cut: s.cut, datagrams: datagrams, lanes: s.lanes, riders: len(s.aboard), began: now, interval: s.rhythm.Interval(),
	}
	s.flight.fly(ctx)
	for _, l := range s.lanes {
		l.stats.Spread = float64(l.pace.Spread().Microseconds()) / 1000
	}
	now = time.Now()
	for _, d := range s.aboard {
		s.stats.Datagrams += uint64(d.took)
		s.stats.Bytes += uint64(d.tookBytes)
		s.stats.Failed += uint64(d.missed)
		if err := d.land(now); err != nil {
			s.trouble(d, err)
		}
	}
	for _, d := range s.dests {
		s.viewers.unsent(d.session, d.stats.Unsent, d.stats.Skipped)
	}
	return s.stats.Datagrams > before
}

// board has everybody who can be sent to take a place in their lane.
func (s *Sender) board(now time.Time, datagrams []fragment.Datagram, size int) {
	s.rhythm.Frame(now)
	s.aboard = s.aboard[:0]
	for _, d := range s.dests {
		if s.thins(d) {
			d.stats.Skipped++
			s.stats.LeftOut++
			continue
		}
		skipped, failed := d.stats.Skipped, d.stats.Unsent
		if !d.board(now, s.share(d, len(datagrams)), size) {
			s.stats.LeftOut += d.stats.Skipped - skipped
			s.stats.Failed += d.stats.Unsent - failed
			if d.err != nil {
				s.trouble(d, d.err)
			}
			continue
		}
		if d.lane == nil {
			d.lane = s.laneOf(d)
		}
		d.lane.riders = append(d.lane.riders, d)
		s.aboard = append(s.aboard, d)
	}
	bytes := 0
	for _, g := range datagrams {
		bytes += len(g.Header) + len(g.Payload)
	}
	for _, l := range s.lanes {
		l.begin(now, bytes, len(datagrams), len(datagrams[0].Header)+len(datagrams[0].Payload), s.rhythm.Interval(), s.rhythm.Last())
		if l.expected > pace.MostSpread {
			s.sorry.warn("at this pace a frame takes too long to leave: raise --pace, send to fewer or to a group, or lower the quality or the size",
				slog.Duration("takes", l.expected), slog.String("pace", pace.Rate(l.pace.Limit())), slog.String("interface", l.name), slog.Int("destinations", len(l.riders)))
		}
	}
}

// thins reports whether the frame in hand is left out for d, whose way is too slow for all of them.
func (s *Sender) thins(d *destination) bool {
	if s.cfg.Every == nil || d.many {
		return false
	}
	n := s.cfg.Every(d.stats.Addr)
	return n > 1 && s.frame%uint32(n) != 0
}

// trouble says what went wrong and has the MTU read again where that was it.
func (s *Sender) trouble(d *destination, err error) {
	if isTooLong(err) {
		s.mtuAt = time.Time{}
		d.sorry.warn("datagrams are larger than the path takes: cutting smaller ones from the next frame on",
			slog.String("to", d.name()), slog.Int("mtu_bytes", s.stats.MTU))
		return
	}
	if d.guest != nil && isRefused(err) {
		return // it has ended without saying so, and will be forgotten
	}
	d.sorry.warn(explain(err), slog.String("to", d.name()), slog.Any("error", err))
}

// Close tells the viewers, closes the sockets and waits for their readers, all within
// 50 ms, or 150 ms if the log takes nothing. It must not be called during Write; it may
// be called more than once.
func (s *Sender) Close() error {
	s.closed.Do(func() {
		if s.look != nil {
			s.look.close()
		}
		s.farewell()
		for _, d := range s.dests {
			d.close()
		}
		for _, l := range s.listeners {
			l.close()
		}
		s.readers.Wait()
		s.resends.close()
		s.log.finish()
	})
	return nil
}

// farewell lets nobody in any more, and says Bye to everybody.
func (s *Sender) farewell() {
	if s.house != nil {
		s.house.close()
	}
	by := time.Now().Add(20 * time.Millisecond)
	for _, d := range s.dests {
		if d.conn != nil {
			d.reader.bye(d.conn, d.to, fragment.ByeLeaving, by)
		}
	}
}
