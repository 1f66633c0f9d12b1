package tcp

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/internal/resolve"
)

const (
	// dialWithin is the longest wait for one address: two SYNs. A later one would wait
	// so long that a host which comes back is found sooner by dialling again.
	dialWithin = 1500 * time.Millisecond
	// Between two tries passes half of firstWait to all of it, and twice as long each
	// time, up to lastWait: video resumes within 2 s after the other side is back.
	firstWait = 100 * time.Millisecond
	lastWait  = 800 * time.Millisecond
)

// caller keeps a connection to one address: it dials, and when that fails or the
// connection ends, dials again, until ctx is done.
type caller struct {
	to       string // HOST:PORT
	set      settings
	start    string // the command that is missing at the other end when nobody listens
	failures *atomic.Uint64
	log      *slog.Logger

	wait time.Duration // before the next try; zero after a success
	said string        // last failure logged, once each
}

// run gives each connection to serve, which closes it, says whether the two have agreed,
// and if not, why.
func (c *caller) run(ctx context.Context, serve func(context.Context, *net.TCPConn) (agreed bool, err error)) {
	for ctx.Err() == nil {
		conn, err := c.dial(ctx)
		agreed := false
		if err == nil {
			agreed, err = serve(ctx, conn)
		}
		switch {
		case ctx.Err() != nil:
			return
		case agreed:
			c.wait, c.said = 0, ""
		default:
			c.fail(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.pause()):
		}
	}
}

// pause is how long to wait before the next try.
func (c *caller) pause() time.Duration {
	c.wait = min(max(2*c.wait, firstWait), lastWait)
	return c.wait/2 + rand.N(c.wait/2)
}

func (c *caller) fail(err error) {
	c.failures.Add(1)
	if says := unreached(err, c.start); says != c.said {
		c.said = says
		c.log.Warn("no connection yet, trying again and again", slog.String("to", c.to), slog.String("because", says))
	}
}

func (c *caller) dial(ctx context.Context) (*net.TCPConn, error) {
	host, port, err := net.SplitHostPort(c.to)
	if err != nil {
		return nil, err
	}
	ips, err := resolve.Host(ctx, host)
	if err != nil {
		return nil, err
	}
	var first error
	d := net.Dialer{Timeout: dialWithin, Control: c.set.control}
	for _, ip := range ips {
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn.(*net.TCPConn), nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if first == nil || timedOut(first) { // an answer says more than none
			first = err
		}
	}
	return nil, first
}
