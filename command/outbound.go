package command

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// outbound is the way out of a sender: either transport, or both.
type outbound struct {
	udp *udp.Sender // nil where no address is udp
	tcp *tcp.Sender // nil where no address is tcp
}

// openOut opens the sockets and says what is sent where.
func (s *session) openOut(cfg outConfig, serve, what string, announce func() fragment.Announce) (*outbound, error) {
	o := &outbound{}
	if cfg.overUDP() {
		sender, err := udp.NewSender(cfg.udp)
		if err != nil {
			flag, text := "to", strings.Join(names(cfg.udp.To), ", ")
			if l := (*udp.ListenError)(nil); errors.As(err, &l) {
				flag, text = serve, l.At.String()
			}
			return nil, inWords(flag, text, err)
		}
		o.udp = sender
		if stats := sender.Stats(); len(cfg.udp.To) > 0 {
			s.say(fmt.Sprintf("sending %s to %s over udp, %d bytes of frame in a datagram (MTU %d)", what, strings.Join(names(cfg.udp.To), ", "), stats.Shard, stats.MTU))
		}
		for _, at := range sender.LocalAddrs() {
			s.say(fmt.Sprintf("serving %s on %v over udp%s", what, at, invitation("view --from", "", at)))
		}
	}
	if cfg.overTCP() {
		cfg.tcp.Announce = announce
		sender, err := tcp.NewSender(cfg.tcp)
		if err != nil {
			o.Close()
			return nil, inWords(serve, strings.Join(names(cfg.tcp.Listen), ", "), err)
		}
		o.tcp = sender
		if len(cfg.tcp.To) > 0 {
			s.say(fmt.Sprintf("sending %s to %s over tcp", what, strings.Join(cfg.tcp.To, ", ")))
		}
		for _, at := range sender.LocalAddrs() {
			s.say(fmt.Sprintf("serving %s on %v over tcp%s", what, at, invitation("view --from", "tcp://", at)))
		}
	}
	return o, nil
}

// announce is what tcp viewers are told of any stream.
func announce() fragment.Announce {
	name, _ := os.Hostname()
	return fragment.Announce{Name: name, Software: "framegram " + Version()}
}

// announcement is what they are told of source.
func announcement(source stream.Source) func() fragment.Announce {
	a := announce()
	return func() fragment.Announce {
		if r, ok := source.(capture.Reporter); ok {
			info := r.Info()
			a.Width, a.Height, a.MilliFPS = uint16(info.Size.X), uint16(info.Size.Y), uint32(info.FPS*1000)
		}
		return a
	}
}

func names(addrs []netip.AddrPort) (texts []string) {
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

// Write implements [stream.Sink]. Over tcp nobody is waited for.
func (o *outbound) Write(ctx context.Context, f *stream.Frame) (err error) {
	if o.tcp != nil {
		err = o.tcp.Write(ctx, f)
	}
	if o.udp != nil {
		err = errors.Join(err, o.udp.Write(ctx, f))
	}
	return err
}

// Close implements [stream.Sink].
func (o *outbound) Close() (err error) {
	if o.tcp != nil {
		err = o.tcp.Close()
	}
	if o.udp != nil {
		err = errors.Join(err, o.udp.Close())
	}
	return err
}

func (o *outbound) stats() (f outFigures) {
	if o.udp != nil {
		stats := o.udp.Stats()
		f.UDP = &stats
	}
	if o.tcp != nil {
		stats := o.tcp.Stats()
		f.TCP = &stats
	}
	return f
}
