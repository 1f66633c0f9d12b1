package udp

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// lookupEvery is how long a sender must have been silent to be looked up anew: it may
	// have another address by now, and so may we.
	lookupEvery = 3 * time.Second
	// lookupTime is how long one may take.
	lookupTime = 5 * time.Second
)

// AskingStats tell how it stands with the sender that is asked for frames.
type AskingStats struct {
	Sender     string `json:"sender"`     // its address; empty before it is known
	State      string `json:"state"`      // "asking", "no answer", "nobody listens", "served", "refused" or "ended"
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

// guide looks from up, and again whenever it has been silent for long.
func (r *Receiver) guide(ctx context.Context, from string) {
	sorry := throttle{log: r.log}
	known := false
	for failed := ""; ctx.Err() == nil; {
		peer, err := lookUp(ctx, from)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = ""
			r.turnTo(peer, known)
			known = true
		case failed != err.Error():
			failed = err.Error()
			sorry.warn("the sender's address is not known: trying again", slog.String("from", from), slog.Any("error", err))
		}
		for wait := true; wait; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			r.mu.Lock()
			wait = err == nil && time.Since(r.ask.last) < lookupEvery
			r.mu.Unlock()
		}
	}
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

// lookUp finds the address of HOST:PORT, an IPv4 one where there are several.
func lookUp(ctx context.Context, from string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(from)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, fmt.Errorf("port is %q, want 1..65535", service)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(found) == 0 {
		return netip.AddrPort{}, fmt.Errorf("%s has no address", host)
	}
	best := found[0].Unmap()
	for _, ip := range found {
		if ip.Unmap().Is4() {
			best = ip.Unmap()
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(port)), nil
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
			r.nobody(err)
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
