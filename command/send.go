package command

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp"
)

func sendCommand() *cli.Command {
	return &cli.Command{
		Name: "send", Usage: "capture video and send it",
		UsageText: "framegram send --to HOST[:PORT] [--to ...] [flags]",
		Flags: join(sourceFlags(), withEnv(
			&cli.StringSliceFlag{Name: "to", Category: catNetwork,
				Usage: "viewer as `[udp://]HOST[:PORT]`, default port 5600; repeat it for several"},
		), transportFlag(), networkFlags(), runFlags()),
		Action: action(func(c *cli.Context) error { return run(c, "send", func(s *session) error { return runSend(c, s) }) }),
	}
}

// networkFlags are those of every sender.
func networkFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "mtu", Category: catNetwork, Value: "auto",
			Usage: "largest IP packet, `auto|BYTES`: auto takes the path's, at most 1500 (a datagram carries at most 16320 bytes of frame)"},
		&cli.StringFlag{Name: "dscp", Category: catNetwork, Value: "af41",
			Usage: "DSCP of the datagrams, `NAME or 0..63`: af41, ef, cs0 to cs7, ..."},
	)
}

func runSend(c *cli.Context, s *session) error {
	cfg, err := senderConfig(c, s)
	if err != nil {
		return err
	}
	if cfg.To, err = destinations(c); err != nil {
		return err
	}
	source, err := s.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	if s.send, err = s.openSend(cfg, source); err != nil {
		return err
	}
	defer s.send.sender.Close()
	s.send.pump.MaxFrames = s.frames
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.send.pump)
}

// destinations are the addresses of --to.
func destinations(c *cli.Context) (to []netip.AddrPort, err error) {
	if err := checkTransport(c.String("transport")); err != nil && len(c.StringSlice("to")) == 0 {
		return nil, err
	}
	for _, text := range c.StringSlice("to") {
		a, err := parseAddress("to", text, c.String("transport"))
		switch {
		case err != nil:
			return nil, err
		case a.host == "" || a.port == 0:
			return nil, usage("--to %q: want a host and a port over 0", text)
		}
		at, err := a.resolve(c.Context)
		if err != nil {
			return nil, fmt.Errorf("--to %q: %w", text, err)
		}
		switch ip := at.Addr().Unmap(); {
		case ip.IsMulticast():
			return nil, usage("--to %q: multicast comes with a later version: name each viewer's address", text)
		case ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return nil, usage("--to %q: broadcast comes with a later version: name each viewer's address", text)
		case ip.IsUnspecified():
			return nil, usage("--to %q is no machine's address: name the viewer's, 127.0.0.1 for this machine", text)
		case ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "":
			return nil, usage("--to %q: a link-local address needs its interface, such as %s%%eth0", text, ip)
		}
		to = append(to, at)
	}
	if len(to) == 0 {
		return nil, usage("send needs --to HOST[:PORT]: the machine on which `framegram view` runs")
	}
	return to, nil
}

// openSend opens the sockets and says what is sent where.
func (s *session) openSend(cfg udp.SenderConfig, source stream.Source) (*sendSide, error) {
	sender, err := udp.NewSender(cfg)
	if err != nil {
		return nil, err
	}
	if s.stats != "off" {
		to := make([]string, len(cfg.To))
		for i, a := range cfg.To {
			to[i] = a.String()
		}
		stats := sender.Stats()
		s.console.say(fmt.Sprintf("sending %s to %s over udp, %d bytes of frame in a datagram (MTU %d)",
			describe(source), strings.Join(to, ", "), stats.Shard, stats.MTU))
	}
	return &sendSide{source: source, sender: sender, pump: &stream.Pump{Source: source, Sink: sender}}, nil
}

func senderConfig(c *cli.Context, s *session) (udp.SenderConfig, error) {
	cfg := udp.SenderConfig{Log: s.log}
	if text := c.String("mtu"); text != "auto" {
		n, err := strconv.Atoi(text)
		if err != nil || n < fragment.MinMTU || n > fragment.MaxMTU {
			return cfg, usage("--mtu is %q, want auto or %d..%d bytes", text, fragment.MinMTU, fragment.MaxMTU)
		}
		cfg.MTU = n
	}
	dscp, err := parseDSCP(c.String("dscp"))
	cfg.DSCP = dscp
	return cfg, err
}

// parseDSCP reads a number or a name: CSn (RFC 2474), AFxy (RFC 2597), EF (RFC 3246).
func parseDSCP(text string) (int, error) {
	name := strings.ToLower(text)
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= 63 {
		return n, nil
	}
	digit := func(i int, low, high byte) (int, bool) {
		return int(name[i] - '0'), name[i] >= '0'+low && name[i] <= '0'+high
	}
	switch {
	case name == "ef":
		return 46, nil
	case len(name) == 3 && strings.HasPrefix(name, "cs"):
		if n, ok := digit(2, 0, 7); ok {
			return n * 8, nil
		}
	case len(name) == 4 && strings.HasPrefix(name, "af"):
		class, okClass := digit(2, 1, 4)
		drop, okDrop := digit(3, 1, 3)
		if okClass && okDrop {
			return class*8 + drop*2, nil
		}
	}
	return 0, usage("--dscp is %q, want 0..63, cs0 to cs7, af11 to af43 or ef", text)
}

// loopback is an address of this machine that the system chooses a port for.
var loopback = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
