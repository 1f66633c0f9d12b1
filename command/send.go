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
		Action: action(runSend),
	}
}

// networkFlags are those of every sender.
func networkFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "mtu", Category: catNetwork, Value: "auto",
			Usage: "largest IP packet, `auto|BYTES`: auto takes the path's, at most 1500"},
		&cli.StringFlag{Name: "dscp", Category: catNetwork, Value: "af41",
			Usage: "DSCP of the datagrams, `NAME or 0..63`: af41, ef, cs0 to cs7, ..."},
	)
}

func runSend(c *cli.Context) error {
	s, err := newSession(c, "send")
	if err != nil {
		return err
	}
	cfg, err := senderConfig(c, s)
	if err != nil {
		return err
	}
	for _, to := range c.StringSlice("to") {
		a, err := parseAddress("to", to, c.String("transport"))
		switch {
		case err != nil:
			return err
		case a.host == "" || a.port == 0:
			return usage("--to %q: want a host and a port over 0", to)
		}
		ip, err := a.resolve(c.Context)
		if err != nil {
			return fmt.Errorf("--to %q: %w", to, err)
		}
		if ip.Addr().IsMulticast() {
			return usage("--to %q: multicast comes with a later version: name each viewer's address", to)
		}
		cfg.To = append(cfg.To, ip)
	}
	if len(cfg.To) == 0 {
		if err := checkTransport(c.String("transport")); err != nil {
			return err
		}
		return usage("send needs --to HOST[:PORT]: the machine on which `framegram view` runs")
	}
	source, err := openSource(c.Context, c, c.App.Reader, s.log)
	if err != nil {
		return err
	}
	defer source.Close()
	side, err := s.openSend(cfg, source)
	if err != nil {
		return err
	}
	defer side.sender.Close()
	side.pump.MaxFrames = s.frames
	s.send = side
	ctx, cancel := s.timeLimit(c.Context)
	defer cancel()
	return s.run(ctx, side.pump)
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
