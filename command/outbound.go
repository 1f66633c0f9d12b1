package command

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
)

// outFlags are those of every command that sends. serve names the flag that accepts
// viewers: a relay listens on its other side.
func outFlags(serve string) []cli.Flag {
	return join(withEnv(
		&cli.StringSliceFlag{Name: "to", Category: catNetwork,
			Usage: "viewer, or multicast group, as `[udp://|tcp://]HOST[:PORT]`, default port 5600; repeat it for several"},
		&cli.StringSliceFlag{Name: serve, Category: catNetwork,
			Usage: "accept viewers (tcp) on `[tcp://][HOST][:PORT]`; no host means every address of this machine"},
		&cli.IntFlag{Name: "max-viewers", Category: catNetwork, Value: tcp.DefaultMaxViewers,
			Usage: "the most viewers accepted at a time, `1..1000`"},
	), wireFlags())
}

// wireFlags say how frames go out.
func wireFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "mtu", Category: catNetwork, Value: "auto",
			Usage: "udp: largest IP packet, `auto|BYTES`: auto takes the path's, at most 1500 (a datagram carries at most 16320 bytes of frame)"},
		&cli.StringFlag{Name: "dscp", Category: catNetwork, Value: "af41",
			Usage: "DSCP of the packets, `NAME or 0..63`: af41, ef, cs0 to cs7, ..."},
		&cli.IntFlag{Name: "ttl", Category: catNetwork, Value: 1,
			Usage: "multicast: how many networks it may cross, `1..255`"},
	)
}

// outConfig is what the flags ask for, of both transports.
type outConfig struct {
	udp    udp.SenderConfig
	tcp    tcp.SenderConfig
	groups bool // one of the addresses is for many
}

// outConfig reads what wireFlags, and outFlags but for the addresses, say.
func (s *session) outConfig(c *cli.Context) (cfg outConfig, err error) {
	cfg.udp = udp.SenderConfig{TTL: c.Int("ttl"), Log: s.log}
	cfg.tcp = tcp.SenderConfig{Congestion: c.String("tcp-congestion"), MaxViewers: c.Int("max-viewers"), Log: s.log}
	if text := c.String("mtu"); text != "auto" {
		n, err := strconv.Atoi(text)
		if err != nil || n < fragment.MinMTU || n > fragment.MaxMTU {
			return cfg, usage("--mtu is %q, want auto or %d..%d bytes", text, fragment.MinMTU, fragment.MaxMTU)
		}
		cfg.udp.MTU = n
	}
	switch {
	case c.IsSet("max-viewers") && (cfg.tcp.MaxViewers < 1 || cfg.tcp.MaxViewers > 1000):
		return cfg, usage("--max-viewers is %d, want 1..1000", cfg.tcp.MaxViewers)
	case c.IsSet("ttl") && (cfg.udp.TTL < 1 || cfg.udp.TTL > 255):
		return cfg, usage("--ttl is %d, want 1..255", cfg.udp.TTL)
	}
	cfg.udp.DSCP, err = parseDSCP(c.String("dscp"))
	cfg.tcp.DSCP = cfg.udp.DSCP
	return cfg, err
}

// addresses sorts --to and the flag called serve into cfg.
func (cfg *outConfig) addresses(c *cli.Context, serve string) error {
	transport := c.String("transport")
	if err := checkTransport(transport); err != nil {
		return err
	}
	for _, text := range words(c, "to") {
		a, err := parseAddress("to", text, transport)
		switch {
		case err != nil:
			return err
		case a.host == "" || a.port == 0:
			return usage("--to %q: want a host and a port over 0", text)
		}
		if err := a.toGroup("to"); err != nil {
			return err
		}
		if err := a.toMachine("to"); err != nil {
			return err
		}
		if a.transport == "tcp" { // its name is looked up anew each time it is dialled
			cfg.tcp.To = append(cfg.tcp.To, a.String())
			continue
		}
		at, err := a.resolve(c.Context)
		if err != nil {
			return fmt.Errorf("--to %q: %w", text, err)
		}
		cfg.groups = cfg.groups || forMany(at.Addr())
		cfg.udp.To = append(cfg.udp.To, at)
	}
	for _, text := range words(c, serve) {
		a, err := parseAddress(serve, text, transport)
		if err != nil {
			return err
		}
		if a.transport == "udp" {
			return usage("--%s %q: over udp viewers cannot be accepted yet: name them with --to, or use tcp://%s", serve, text, a.asTyped())
		}
		if err := a.toGroup(serve); err != nil {
			return err
		}
		at, err := a.listenAddress(c.Context)
		if err != nil {
			return fmt.Errorf("--%s %q: %w", serve, text, err)
		}
		cfg.tcp.Listen = append(cfg.tcp.Listen, at)
	}
	if cfg.groups {
		cfg.udp.Interfaces = words(c, "iface")
	}
	return cfg.complete(c, serve)
}

// complete tells what is missing, and what is there for nothing.
func (cfg *outConfig) complete(c *cli.Context, serve string) error {
	switch {
	case len(cfg.udp.To)+len(cfg.tcp.To)+len(cfg.tcp.Listen) == 0:
		return usage("%s needs --to HOST[:PORT], the machine on which `framegram view` runs, or --%s tcp://:%d to which viewers come", c.Command.Name, serve, DefaultPort)
	case typed(c, "ttl") && !cfg.groups:
		return usage("--ttl is for multicast, and no --to is a group")
	case typed(c, "iface") && !cfg.groups && c.Command.Name != "relay": // its other side may want it
		return usage("--iface is for multicast, and no --to is a group")
	case typed(c, "max-viewers") && len(cfg.tcp.Listen) == 0:
		return usage("--max-viewers goes with --%s", serve)
	case typed(c, "mtu") && len(cfg.udp.To) == 0:
		return usage("--mtu is for udp, and no --to is")
	case typed(c, "tcp-congestion") && len(cfg.tcp.To)+len(cfg.tcp.Listen) == 0 && c.Command.Name != "relay":
		return usage("--tcp-congestion is for tcp, and no address is")
	}
	return nil
}

// outbound is the way out of a sender: either transport, or both.
type outbound struct {
	udp *udp.Sender // nil where no address is udp
	tcp *tcp.Sender // nil where no address is tcp
}

// openOut opens the sockets and says what is sent where.
func (s *session) openOut(cfg outConfig, serve, what string, announce func() fragment.Announce) (*outbound, error) {
	o := &outbound{}
	if len(cfg.udp.To) > 0 {
		sender, err := udp.NewSender(cfg.udp)
		if err != nil {
			return nil, inWords("to", "", err)
		}
		o.udp = sender
		stats := sender.Stats()
		s.say(fmt.Sprintf("sending %s to %s over udp, %d bytes of frame in a datagram (MTU %d)", what, strings.Join(names(cfg.udp.To), ", "), stats.Shard, stats.MTU))
	}
	if len(cfg.tcp.To)+len(cfg.tcp.Listen) > 0 {
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
