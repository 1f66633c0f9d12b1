package udp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/internal/resolve"
)

// lookupEvery is how long a sender must have been silent to be looked up anew: it may
// have another address by now, and so may we.
const lookupEvery = 3 * time.Second

// AskingStats tell how it stands with the sender that is asked for frames.
type AskingStats struct {
	Sender     string `json:"sender"`     // its address; empty before it is known
	State      string `json:"state"`      // "asking", "no answer", "nobody listens", "no frames" (the sender answers), "served", "refused" or "ended"
	Hellos     uint64 `json:"hellos"`     // sent
	Challenges uint64 `json:"challenges"` // came
	Refusals   uint64 `json:"refusals"`   // came
}

func (a *asker) stats() *AskingStats {
	s := &AskingStats{State: string(a.state), Hellos: a.hellos, Challenges: a.challenges, Refusals: a.refusals}
	if a.deaf && a.state != stServed {
		s.State = string(stDeaf)
	}
	if a.peer.IsValid() {
		s.Sender = a.peer.String()
	}
	return s
}

// follow begins to ask cfg.From for its frames.
func (r *Receiver) follow(cfg ReceiverConfig) {
	r.ask = newAsker(cmp.Or(cfg.Frames.MaxFrame, fragment.MaxFrameBytes), time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	r.running.Go(func() {
		<-r.stop
		cancel()
	})
	r.running.Go(func() { r.guide(ctx, cfg.From) })
}

// guide looks from up, and again whenever nothing has been heard for long.
func (r *Receiver) guide(ctx context.Context, from string) {
	sorry := throttle{log: r.log}
	known, failed := false, ""
	for try := 0; ctx.Err() == nil; try++ {
		found, err := lookUp(ctx, from)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = ""
			r.turnTo(r.choose(found, try), known)
			known = true
		case failed != err.Error():
			failed = err.Error()
			sorry.warn("the sender's address is not known: trying again", slog.String("from", from), slog.Any("error", err))
		}
		looked := time.Now()
		for wait := true; wait; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			r.mu.Lock()
			wait = err == nil && (time.Since(r.ask.heard) < lookupEvery || time.Since(looked) < lookupEvery)
			r.mu.Unlock()
		}
	}
}

// choose is which of a name's addresses to ask: the one that has answered, if there is one,
// or they take turns.
func (r *Receiver) choose(found []netip.AddrPort, try int) netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ask.cookie != 0 && slices.Contains(found, r.ask.peer) {
		return r.ask.peer
	}
	return found[try%len(found)]
}

// turnTo asks peer from now on. Being connected to it, the socket hears nobody else, and
// is told when nobody listens there. It is connected anew also to the same one, since the
// way there may begin at another address of ours by now.
func (r *Receiver) turnTo(peer netip.AddrPort, again bool) {
	if err := narrow(r.conn, peer, again); err != nil { // without it, what others send is ignored one by one
		r.errors.log.Debug("connecting", slog.String("to", peer.String()), slog.Any("error", err))
	}
	r.mu.Lock()
	r.ask.ask(peer)
	r.mu.Unlock()
	select { // the tending goroutine need not wait for its tick
	case r.news <- struct{}{}:
	default:
	}
}

// hostPort parts HOST:PORT.
func hostPort(from string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(from)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(service, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("port is %q, want 1..65535", service)
	}
	if host == "" {
		return "", 0, errors.New("there is no host")
	}
	return host, uint16(n), nil
}

// lookUp finds the addresses of HOST:PORT, at least one, those of IPv4 first.
func lookUp(ctx context.Context, from string) (found []netip.AddrPort, err error) {
	host, port, err := hostPort(from)
	if err != nil {
		return nil, err
	}
	ips, err := resolve.IPv4First(ctx, host)
	for _, ip := range ips {
		found = append(found, netip.AddrPortFrom(ip, port))
	}
	return found, err
}

// hello asks when it is time to, and says what there is to say.
func (r *Receiver) hello(buf []byte, now time.Time) {
	if r.ask == nil {
		return
	}
	r.mu.Lock()
	b, to := r.ask.next(buf[:0], now), r.ask.peer
	what, trouble := r.ask.news(now)
	r.mu.Unlock()
	if len(b) > 0 {
		if _, err := r.conn.WriteToUDPAddrPort(b, numbered(to)); err != nil {
			if !r.nobody(err) && isUnreachable(err) {
				r.pathless.warn(explain(err), slog.String("sender", to.String()), slog.Any("error", err))
			}
		}
	}
	level := slog.LevelInfo
	if trouble {
		level = slog.LevelWarn
	}
	if what != "" {
		r.log.Log(context.Background(), level, what, slog.String("sender", to.String()))
	}
}

// nobody reports whether an error says that nobody listens where we ask, and takes note.
func (r *Receiver) nobody(err error) bool {
	if r.ask == nil || !isRefused(err) {
		return false
	}
	r.mu.Lock()
	r.ask.deafened(time.Now())
	r.mu.Unlock()
	return true
}

// leave says Bye to who serves us.
func (r *Receiver) leave() {
	if r.ask == nil {
		return
	}
	r.mu.Lock()
	b, to := r.ask.bye(nil), r.ask.peer
	r.mu.Unlock()
	if to.IsValid() {
		r.conn.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		r.conn.WriteToUDPAddrPort(b, numbered(to)) // or it notices by silence
	}
}
