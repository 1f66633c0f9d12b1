package trial

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/framegram/framegram/bench"
)

// viewer is the receiving end of one trial: a process here, or one that another machine
// has started for us.
type viewer interface {
	// at is the address to send to, as HOST:PORT; a subscriber has none.
	at() string
	// gone is closed when it has ended, which it should not before end; why says why.
	gone() <-chan struct{}
	why() error
	// end ends it, and returns what it noted.
	end() (received, error)
}

// received is what a viewer leaves.
type received struct {
	Shown   []bench.ShownFrame `json:"shown"`
	Figures figures            `json:"figures"`
}

// viewing is what a viewer is asked for.
type viewing struct {
	Way Way `json:"way"`
	// From is the sender that a subscriber asks: HOST:PORT, or :PORT in a question to
	// another machine, which takes the host from the connection.
	From     string         `json:"from,omitempty"`
	Deadline bench.Duration `json:"deadline_ms,omitzero"` // of repairs; 0 = view's own
	Args     []string       `json:"args,omitempty"`
}

// args are the viewer's arguments about the way.
func (v viewing) args() []string {
	args := v.Way.args()
	if v.Way.asks() && v.Deadline.Duration > 0 {
		args = append(args, "--deadline", v.Deadline.String())
	}
	return append(args, v.Args...)
}

// begun is what a viewer says when it can be sent to, or has asked for frames.
var begun = regexp.MustCompile(`(?:waiting for frames on|asking) (\S+) (?:for frames )?over`)

// group is where both ends meet for Way.Connect = Group. It is of the range for use within
// one organisation (RFC 2365), and no packet to it leaves an emulated link.
const group = "239.255.77.1:5600"

// where are the viewer's arguments about how it comes by the stream. host is its address.
func (v viewing) where(host string) []string {
	switch v.Way.Connect {
	case Subscribe:
		return []string{"--from", v.Way.Transport + "://" + v.From}
	case Group:
		return []string{"--listen", v.Way.Transport + "://" + group}
	}
	return []string{"--listen", v.Way.Transport + "://" + net.JoinHostPort(host, "0")}
}

// localViewer is a process on this machine.
type localViewer struct {
	*process
	address string
	dir     string
}

// startViewer starts one by start. It is on host, or asks from there.
func startViewer(ctx context.Context, program, host string, v viewing, start func(*process) error) (*localViewer, error) {
	dir, err := os.MkdirTemp("", "framegram-bench")
	if err != nil {
		return nil, err
	}
	trace := filepath.Join(dir, "trace")
	args := slices.Concat([]string{"view"}, v.where(host), []string{"--display", "none", "--trace", trace}, v.args())
	l := &localViewer{process: newProcess(program, args...), dir: dir}
	if err := start(l.process); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	l.watch()
	if l.address, err = l.hear(begun, startWithin, ctx.Done()); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

func (l *localViewer) at() string            { return l.address }
func (l *localViewer) gone() <-chan struct{} { return l.done }
func (l *localViewer) why() error            { return l.died() }

func (l *localViewer) end() (r received, err error) {
	l.process.end()
	defer os.RemoveAll(l.dir)
	f, err := os.Open(filepath.Join(l.dir, "trace"))
	if err != nil {
		return r, err
	}
	defer f.Close()
	if r.Shown, err = bench.ReadShown(f); err != nil {
		return r, err
	}
	if r.Figures, err = l.figures(); err != nil {
		return r, fmt.Errorf("after %v: %w", time.Since(l.began).Round(time.Second), err)
	}
	return r, nil
}
