// Package rate keeps a stream of JPEGs inside what the links to its viewers carry. It reads
// no clock and opens no socket: reports, pictures and times are passed in.
//
//	Report   what a viewer tells of its link      → what each link carries (link.go)
//	Next     a picture is about to be encoded     → at which quality, size and rate (ladder.go)
//	Made     it came out with so many bytes       → what the present content costs (content.go)
//	Pass     a finished JPEG is about to be sent  → whether it is left out
//	EveryFor a viewer slower than the encode      → which share of the frames it gets
//
// # The law
//
// A link's rate is wire bytes, of IP packets with all headers, parity and repairs.
// It is congested when the datagrams of its quickest frame since the last report, or in the last
// tenth of a second, stood in queues for 25 ms or more; when they stood for 5 ms or more and loss is clearly over what is
// usual there; when loss is clearly over 12 % whatever the queue; or when it rises by
// 3 % just after the rate was raised. Other loss is the link's own, which parity and repairs
// deal with. "Clearly" is by 2 to 4 standard deviations of what was counted.
//
// A queue, and a loss with it, is not ours while less is sent than 0.7 of the rate at which the datagrams of a frame arrive: the
// link carries more. It is taken for no queue then.
//
// Congestion cuts the rate at once to 0.85 of what arrived meanwhile, 0.9 after a probe. What
// arrived is kept as the knee. An eighth of the time for which the link has been slow (1 to 30 s)
// after the last cut it is tried with 1.2 of the knee, in steps of 1.12 more until frames
// fill 1.03 of the knee; until then the rate rests at 0.95 of the knee if that is longer than
// 2.5 s. If the link carries more than its knee for a second, the rate doubles each second up to 1.25
// of where it was before, and then grows by a quarter each second; after 10 s without trouble
// at the best quality there is no limit until the next congestion. While a queue of 25 ms stands
// the budget is less, by 1/400 for each ms over, down to a half, so that it drains. Where all that
// is sent arrives and the queue stands all the same it is not ours, and the rate stays at half or more.
// The first report in more than 1.5 s tells of an interruption, and changes nothing.
//
// As long as no frame has become complete at a viewer, its frames are too large for the link, or for what the link
// loses. If less arrives, one datagram behind the other, than 0.75 of what is sent, or a queue of 25 ms stands, the
// rate is cut to 0.85 of what arrives. If 12 % or more are lost otherwise, parity comes first, and the rate is cut when nothing has become complete 200 ms later.
//
// A stream begins at [Start] and quadruples each second, or with each report if they come
// sooner, until the first congestion. Until then its pictures keep their size, which a recording's header, or
// a pipe, takes from the first. Where nobody reports within 3 s there is no limit.
//
// # Several viewers
//
// All of them see one encode. It follows the fastest of those with an address of their own;
// of a group it follows the slowest member, but to no less than a quarter of what the median
// member's link carries. A viewer slower than the encode skips frames (EveryFor).
package rate

import (
	"cmp"
	"fmt"
	"sync"
	"time"
)

// Start is the rate with which a stream begins, in bit/s, until its first reports.
const Start = 20e6

const (
	least       = 100e3           // bit/s; no link is taken for slower
	nobody      = 3 * time.Second // without a report after which nobody is there to be considered
	life        = 5 * time.Second // of a report: who is silent for longer has left
	maxViewers  = 512             // told apart; others are not heard until one of these has left
	packet      = 1500            // bytes of a full datagram's IP packet, unless told otherwise
	maxOverhead = 2.5             // wire bytes for a byte of JPEG
	headers     = 1.05            // of which without parity and repairs
)

// Config configures a Controller. The zero value is usable.
type Config struct {
	Quality int   // the best, 1..100; zero means 80
	Most    int64 // bit/s of wire bytes that are never exceeded for longer than a frame; zero means no ceiling
	Start   int64 // bit/s until there are reports; zero means Start, less than zero no limit
	Packet  int   // bytes of a full datagram with its IP header; zero means 1500
	Blind   bool  // no reports will come: only Most counts
}

// Report is what a viewer tells of the stream that it follows.
type Report struct {
	Viewer   string // its address: a name for it
	Group    bool   // it is one of many who are sent the same datagrams
	Received uint64 // datagrams so far, copies not counted
	Missing  uint64 // datagrams so far that have not come
	Queueing time.Duration
	RTT      time.Duration // zero means not known
	Nothing  bool          // no frame has become complete there yet
	Arrival  float64       // bit/s of IP packets at which the datagrams of a frame came, one behind the other; zero means not known
	Parity   float64       // of the last frame that it was sent, as a share of its data
}

// Picture is what is about to be encoded.
type Picture struct {
	Width, Height int // pixels, in full
	Least         int // the least Scale at which it is of use, 1..100
}

// Setting is how a picture is encoded.
type Setting struct {
	Quality int // 1..100
	Scale   int // % of each side, 1..100
	Every   int // of so many pictures one is sent, 1..16
}

// Controller decides. It may be used from any goroutine, and allocates for new viewers only.
type Controller struct {
	mu    sync.Mutex
	cfg   Config
	links map[string]*link
	began time.Time // first picture

	members []float64 // scratch of audience: what a group's members carry

	jpegs   ledger  // bytes of JPEG
	wire    ledger  // the same as they were expected to be on the wire
	over    float64 // wire bytes for a byte of JPEG
	every   cadence
	content content
	ladder  ladder
	credit  credit
	mended  bool // Made has asked for another of this picture
	passing bool // JPEGs come finished
	stats   Stats
}

// New fails for a Config out of range.
func New(cfg Config) (*Controller, error) {
	cfg.Quality, cfg.Packet, cfg.Start = cmp.Or(cfg.Quality, 80), cmp.Or(cfg.Packet, packet), cmp.Or(cfg.Start, Start)
	switch {
	case cfg.Quality < 1 || cfg.Quality > 100:
		return nil, fmt.Errorf("rate: Quality is %d, want 1..100", cfg.Quality)
	case cfg.Packet < 64 || cfg.Packet > 65535:
		return nil, fmt.Errorf("rate: Packet is %d bytes, want 64..65535", cfg.Packet)
	case cfg.Start > 0 && cfg.Start < least:
		return nil, fmt.Errorf("rate: Start is %d bit/s, want %d or more", cfg.Start, int(least))
	case cfg.Most != 0 && cfg.Most < least:
		return nil, fmt.Errorf("rate: Most is %d bit/s, want %d or more", cfg.Most, int(least))
	}
	return &Controller{
		cfg: cfg, links: make(map[string]*link), over: 1.1,
		ladder: ladder{top: cfg.Quality, set: Setting{Quality: cfg.Quality, Scale: 100, Every: 1}},
	}, nil
}

// Report takes what a viewer tells, at the time at which it came.
func (c *Controller) Report(now time.Time, r Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cfg.Blind {
		return
	}
	l := c.links[r.Viewer]
	if l == nil {
		c.expire(now)
		if len(c.links) >= maxViewers {
			return
		}
		l = c.newLink(r.Group, now)
		c.links[r.Viewer] = l
	}
	l.every = max(l.every, 1)
	sent := func(since time.Time) float64 { return c.wire.rate(since, now) / float64(l.every) }
	top := c.ladder.best() && c.pressure(l) < 1
	packets, span := l.report(now, r, &c.cfg, sent, top)
	if l.every == 1 && l == c.follows(now) {
		if packets > 0 {
			c.learn(now, packets, span)
		}
		// Parity for a loss that has just been found costs at once what learn would find in seconds.
		c.over = max(c.over, min(headers*(1+max(r.Parity, 0)), maxOverhead))
	}
	if l.wasCut {
		c.stats.Cuts++
	}
	// What the last second had may be more than there is from now on: the encode follows its fastest viewer down.
	l.share(now, min(sent(now.Add(-time.Second))*float64(l.every), c.target(now)))
}

// learn follows what a byte of JPEG costs on the wire, by the datagrams that a viewer was sent in a
// time. What cannot be is not believed.
func (c *Controller) learn(now time.Time, packets float64, span time.Duration) {
	cost := packets * float64(c.cfg.Packet) / c.jpegs.bytes(now.Add(-span), now)
	if span >= stepAfter && cost >= 1 && cost <= maxOverhead {
		c.over += 0.2 * (max(cost, 1.02) - c.over)
	}
}

// pressure is the share of what l may carry that the stream has now.
func (c *Controller) pressure(l *link) float64 {
	return c.wire.recent(c.wire.last) / l.target
}

// Next is asked for each picture before it is encoded. It returns false for one to be left
// out.
func (c *Controller) Next(now time.Time, p Picture) (Setting, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(now)
	number, interval := c.every.next(now)
	if c.ladder.keep = c.stats.Cuts == 0 && c.cfg.Most == 0; c.ladder.keep {
		p.Least = 100
	}
	c.ladder.choose(now, p, &c.content, c.budget(now, interval))
	if s := c.ladder.set; s.Every > 1 && number%uint64(s.Every) != 0 {
		c.stats.LeftOut++
		return s, false
	}
	return c.ladder.set, true
}

// Made is told of each encoded picture. With true it is to be encoded once more, with the
// Setting returned, which differs in its quality only: it was more than half over its
// budget. Made is told of the second one as well.
func (c *Controller) Made(now time.Time, p Picture, s Setting, bytes int) (Setting, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.content.learn(p, s, bytes)
	budget := c.budget(now, c.every.interval)
	if !c.mended {
		if s, c.mended = c.ladder.mend(now, p, s, &c.content, budget, bytes); c.mended {
			c.stats.Again++
			return s, true
		}
	}
	c.mended = false
	c.sent(now, bytes)
	return s, false
}

// EveryFor is the share of the frames that a viewer gets so that its link carries them: one
// of so many, 1..10. 1 is for who has not reported, too.
func (c *Controller) EveryFor(viewer string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.links[viewer]; l != nil && !l.group {
		return max(l.every, 1)
	}
	return 1
}

func (c *Controller) begin(now time.Time) {
	if c.began.IsZero() {
		c.began = now
		c.jpegs.began, c.wire.began = now, now
	}
}

// sent notes a JPEG that is sent.
func (c *Controller) sent(now time.Time, bytes int) {
	c.jpegs.add(now, float64(bytes))
	c.wire.add(now, float64(bytes)*c.over)
}

// budget is how many bytes of JPEG a frame may have, if one is sent each interval. It may
// be infinite.
func (c *Controller) budget(now time.Time, interval time.Duration) float64 {
	return c.target(now) / 8 * interval.Seconds() / c.over * c.drain(now)
}
