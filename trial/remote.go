package trial

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/framegram/framegram/bench"
)

// Two machines measure together over one TCP connection: the one with the sender asks,
// the one with the viewer answers, a JSON object a line. The viewer's machine starts
// nothing but `framegram view`, for one asker at a time.

// DefaultPort is where the receiving machine is asked.
const DefaultPort = 5601

const (
	maxQuestion = 4 << 10   // bytes of a question
	maxAnswer   = 512 << 20 // bytes of an answer: a trace
	maxDeadline = 10 * time.Second
	dialWithin  = 5 * time.Second
	// answerWithin is how long an answer may take beyond what was asked for.
	answerWithin = 30 * time.Second
)

// question asks to start a viewer, or, without one, to end it.
type question struct {
	View *viewing `json:"view,omitempty"`
}

// answer tells the machine at first, then for every question the viewer's address, or
// what it left.
type answer struct {
	Machine  *bench.Machine `json:"machine,omitempty"`
	Version  string         `json:"version,omitempty"`
	Port     string         `json:"port,omitempty"`
	Received *received      `json:"received,omitempty"`
	Err      string         `json:"error,omitempty"`
}

// Receiver is the other machine, as the one with the sender sees it. It is a place.
type Receiver struct {
	Machine bench.Machine
	Version string // framegram's, there
	conn    net.Conn
	in      *bufio.Reader
	host    string
}

// Dial reaches a machine on which Serve runs.
func Dial(ctx context.Context, to string) (*Receiver, error) {
	d := net.Dialer{Timeout: dialWithin}
	conn, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, fmt.Errorf("%w: run `framegram bench --receiver` there", err)
	}
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	r := &Receiver{conn: conn, in: bufio.NewReader(conn), host: host}
	hello, err := r.hear()
	if err == nil && hello.Machine == nil {
		err = errors.New("it does not speak as `framegram bench --receiver` does")
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	r.Machine, r.Version = *hello.Machine, hello.Version
	return r, nil
}

// Close lets the other machine go.
func (r *Receiver) Close() error { return r.conn.Close() }

func (r *Receiver) hear() (a answer, err error) {
	r.conn.SetReadDeadline(time.Now().Add(answerWithin))
	if err := readLine(r.in, maxAnswer, &a); err != nil {
		return a, err
	}
	if a.Err != "" {
		return a, errors.New(a.Err)
	}
	return a, nil
}

func (r *Receiver) ask(q question) (answer, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	if _, err := r.conn.Write(append(b, '\n')); err != nil {
		return answer{}, err
	}
	return r.hear()
}

func (r *Receiver) name() string                  { return "to " + r.host }
func (r *Receiver) apart() bool                   { return true }
func (r *Receiver) wire() (sender, viewer uint64) { return 0, 0 }
func (r *Receiver) iface() string                 { return "" }
func (r *Receiver) close()                        {}
func (r *Receiver) start(p *process) error        { return startHere(p) }

// sender is our address on the way there.
func (r *Receiver) sender() string {
	host, _, _ := net.SplitHostPort(r.conn.LocalAddr().String())
	return host
}

func (r *Receiver) view(_ context.Context, _ string, v viewing) (viewer, error) {
	if v.Way.Connect == Subscribe {
		_, port, err := net.SplitHostPort(v.From)
		if err != nil {
			return nil, err
		}
		v.From = ":" + port
	}
	a, err := r.ask(question{&v})
	switch {
	case err != nil:
		return nil, err
	case v.Way.Connect != Subscribe:
		return &remoteViewer{r, net.JoinHostPort(r.host, a.Port), make(chan struct{})}, nil
	case a.Port != "": // it listens
		r.ask(question{})
		return nil, errors.New("the framegram there is older and knows of no viewer that asks")
	}
	return &remoteViewer{r: r, never: make(chan struct{})}, nil
}

// remoteViewer is a viewer on the other machine. That it has died shows at its end.
type remoteViewer struct {
	r       *Receiver
	address string
	never   chan struct{}
}

func (v *remoteViewer) at() string            { return v.address }
func (v *remoteViewer) gone() <-chan struct{} { return v.never }
func (v *remoteViewer) why() error            { return errors.New("it ended") }

func (v *remoteViewer) end() (received, error) {
	a, err := v.r.ask(question{})
	if err != nil || a.Received == nil {
		return received{}, errors.Join(err)
	}
	return *a.Received, nil
}

// Serve answers askers, one at a time, until ctx is done.
func Serve(ctx context.Context, l net.Listener, program string, machine bench.Machine, version string, log *slog.Logger) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		log.Info("measuring", slog.String("for", conn.RemoteAddr().String()))
		err = answerAll(ctx, conn, program, answer{Machine: &machine, Version: version})
		conn.Close()
		if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
			log.Warn("measuring ended", slog.String("for", conn.RemoteAddr().String()), slog.Any("error", err))
		}
	}
}

// answerAll answers one asker until it leaves.
func answerAll(ctx context.Context, conn net.Conn, program string, hello answer) error {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	say := func(a answer) error {
		b, err := json.Marshal(a)
		if err == nil {
			conn.SetWriteDeadline(time.Now().Add(answerWithin))
			_, err = conn.Write(append(b, '\n'))
		}
		return err
	}
	if err := say(hello); err != nil {
		return err
	}
	var running *localViewer
	defer func() {
		if running != nil {
			running.end()
		}
	}()
	in := bufio.NewReader(conn)
	for {
		var q question
		conn.SetReadDeadline(time.Now().Add(2 * time.Hour)) // the longest trial, and more
		if err := readLine(in, maxQuestion, &q); err != nil {
			return err
		}
		var a answer
		err := q.check(running)
		switch {
		case err != nil:
		case q.View != nil:
			asker, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
			running, a.Port, err = q.View.start(ctx, program, asker)
		default:
			var r received
			select {
			case <-running.gone():
				err = running.why()
			default:
			}
			r, endErr := running.end()
			a.Received, running = &r, nil
			err = errors.Join(err, endErr)
		}
		if err != nil {
			a = answer{Err: strings.ReplaceAll(err.Error(), "\n", "; ")}
		}
		if err := say(a); err != nil {
			return err
		}
	}
}

// start starts the viewer that asker wants, and returns the port on which it listens, if
// it does.
func (v viewing) start(ctx context.Context, program, asker string) (l *localViewer, port string, err error) {
	asks := v.Way.Connect == Subscribe
	if asks {
		v.From = net.JoinHostPort(asker, strings.TrimPrefix(v.From, ":"))
	}
	if l, err = startViewer(ctx, program, "", v, startHere); err == nil && !asks {
		_, port, err = net.SplitHostPort(l.at())
	}
	return l, port, err
}

// check tells what cannot be done. Nothing of a question reaches a command line but
// what is allowed here.
func (q question) check(running *localViewer) error {
	switch {
	case q.View == nil && running == nil:
		return errors.New("no viewer runs")
	case q.View == nil:
		return nil
	case running != nil:
		return errors.New("a viewer runs already")
	case !slices.Contains([]string{"udp", "tcp"}, q.View.Way.Transport):
		return fmt.Errorf("transport %q is not known here", q.View.Way.Transport)
	case strings.Trim(q.View.Way.Congestion, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || strings.HasPrefix(q.View.Way.Congestion, "-"):
		return fmt.Errorf("%q is no congestion control", q.View.Way.Congestion)
	case q.View.Way.Repair != "" && !slices.Contains(Repairs, q.View.Way.Repair):
		return fmt.Errorf("repair %q is not known here", q.View.Way.Repair)
	case q.View.Way.Connect != "" && (q.View.Way.Connect != Subscribe || q.View.Way.Transport != "udp"):
		return fmt.Errorf("a viewer of %s by %q is not had here", q.View.Way.Transport, q.View.Way.Connect)
	case q.View.Way.Connect == Subscribe && !askedPort.MatchString(q.View.From),
		q.View.Way.Connect == "" && q.View.From != "":
		return fmt.Errorf("%q is no port of the sender", q.View.From)
	case q.View.Deadline.Duration < 0 || q.View.Deadline.Duration > maxDeadline:
		return fmt.Errorf("a deadline of %v is not taken", q.View.Deadline)
	case len(q.View.Args) > 0:
		return errors.New("more arguments are not taken from others")
	}
	return nil
}

// askedPort is the form of viewing.From in a question. A number that is no port is the
// viewer's to refuse.
var askedPort = regexp.MustCompile(`^:[1-9][0-9]{0,4}$`)

// readLine reads one JSON object of at most limit bytes.
func readLine(in *bufio.Reader, limit int, into any) error {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			if err := json.Unmarshal(line, into); err != nil {
				return fmt.Errorf("it does not speak as framegram bench does: %w", err)
			}
			return nil
		case len(line) > limit:
			return fmt.Errorf("a line of more than %d bytes", limit)
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
