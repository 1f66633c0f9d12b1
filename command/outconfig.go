package command

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/tcp"
	"github.com/framegram/framegram/udp"
	"github.com/framegram/framegram/udp/pace"
)

// outFlags are those of every command that sends. serve names the flag that accepts
// viewers: a relay listens on its other side.
func outFlags(serve string) []cli.Flag {
	return join(withEnv(
		&cli.StringSliceFlag{Name: "to", Category: catNetwork,
			Usage: "viewer, or multicast group, as `[udp://|tcp://]HOST[:PORT]`, default port 5600; repeat it for several"},
		&cli.StringSliceFlag{Name: serve, Category: catNetwork,
			Usage: "serve viewers who ask, on `[udp://|tcp://][HOST][:PORT]`; no host means every address of this machine"},
		&cli.IntFlag{Name: "max-viewers", Category: catNetwork, Value: tcp.DefaultMaxViewers,
			Usage: "the most viewers served on request at a time, over each transport, `1..1000`"},
	), wireFlags())
}

// wireFlags say how frames go out.
func wireFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "mtu", Category: catNetwork, Value: "auto",
			Usage: "udp: largest IP packet, `auto|BYTES`: auto takes the path's, at most 1500 (a datagram carries at most 16320 bytes of frame)"},
		&cli.StringFlag{Name: "dscp", Category: catNetwork, Value: "af41",
			Usage: "DSCP of the packets, `NAME or 0..63`: af41, ef, cs0 to cs7, ..."},
		parityFlag(),
		&cli.StringFlag{Name: "pace", Category: catNetwork, Value: "auto",
			Usage: "udp: spread each frame over time so that a network interface sends no faster than `auto|off|RATE`, such as 80mbit: " +
				"auto is 80 % of its link's speed, and to each viewer twice what it reports that the path carries; " +
				"until a viewer reports, and where none can, most of the time between two frames; none on loopback"},
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
	cfg.udp = udp.SenderConfig{TTL: c.Int("ttl"), MaxViewers: c.Int("max-viewers"), Head: jpegHead, Log: s.log}
	cfg.tcp = tcp.SenderConfig{Congestion: c.String("tcp-congestion"), MaxViewers: c.Int("max-viewers"), Log: s.log}
	if text := c.String("mtu"); text != "auto" {
		n, err := strconv.Atoi(text)
		if err != nil || n < fragment.MinMTU || n > fragment.MaxMTU {
			return cfg, usage("--mtu is %q, want auto or %d..%d bytes", text, fragment.MinMTU, fragment.MaxMTU)
		}
		cfg.udp.MTU = n
	}
	if err = repairOut(c, &cfg.udp); err != nil {
		return cfg, err
	}
	if text := c.String("pace"); text != "" { // demo has none
		if cfg.udp.Pace, err = pace.Parse(text); err != nil {
			return cfg, usage("--pace is %q, %w", text, err)
		}
	}
	if cfg.udp.NoOffload, err = noOffload(c); err != nil {
		return cfg, err
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
	twice := map[string]string{} // what was written, by what it means
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
			if err := onlyOnce(twice, "tcp://"+a.String(), text); err != nil {
				return err
			}
			cfg.tcp.To = append(cfg.tcp.To, a.String())
			continue
		}
		at, err := a.resolve(c.Context)
		if err != nil {
			return fmt.Errorf("--to %q: %w", text, err)
		}
		if err := onlyOnce(twice, "udp://"+at.String(), text); err != nil {
			return err
		}
		cfg.groups = cfg.groups || forMany(at.Addr())
		cfg.udp.To = append(cfg.udp.To, at)
	}
	for _, text := range words(c, serve) {
		a, err := parseAddress(serve, text, transport)
		if err != nil {
			return err
		}
		if err := a.toGroup(serve); err != nil {
			return err
		}
		at, err := a.listenAddress(c.Context)
		if err != nil {
			return fmt.Errorf("--%s %q: %w", serve, text, err)
		}
		if a.transport == "tcp" {
			cfg.tcp.Listen = append(cfg.tcp.Listen, at)
			continue
		}
		if forMany(at.Addr()) {
			return usage("--%s %q is for many machines, and viewers ask one: send to it with --to", serve, text)
		}
		cfg.udp.Listen = append(cfg.udp.Listen, at)
	}
	if cfg.groups {
		cfg.udp.Interfaces = words(c, "iface")
	}
	return cfg.complete(c, serve)
}

// onlyOnce is for a viewer that would get every frame twice.
func onlyOnce(seen map[string]string, to, text string) error {
	if first, ok := seen[to]; ok {
		return usage("--to %q and --to %q are both %s, which would get every frame twice: leave one out", first, text, to)
	}
	seen[to] = text
	return nil
}

// complete tells what is missing, and what is there for nothing.
func (cfg *outConfig) complete(c *cli.Context, serve string) error {
	switch {
	case !cfg.overUDP() && !cfg.overTCP():
		return usage("%s needs --to HOST[:PORT], the machine on which `framegram view` runs, or --%s :%d at which viewers ask (`framegram view --from`)", c.Command.Name, serve, DefaultPort)
	case typed(c, "ttl") && !cfg.groups:
		return usage("--ttl is for multicast, and no --to is a group")
	case typed(c, "iface") && !cfg.groups && c.Command.Name != "relay": // its other side may want it
		return usage("--iface is for multicast, and no --to is a group")
	case typed(c, "max-viewers") && len(cfg.udp.Listen)+len(cfg.tcp.Listen) == 0:
		return usage("--max-viewers goes with --%s", serve)
	case typed(c, "mtu") && !cfg.overUDP():
		return usage("--mtu is for udp, and no address is")
	case typed(c, "parity") && !cfg.overUDP():
		return usage("--parity is for udp, and no address is")
	case typed(c, "repair") && !cfg.overUDP() && c.Command.Name != "relay":
		return usage("--repair is for udp, and no address is")
	case typed(c, "pace") && !cfg.overUDP():
		return usage("--pace is for udp, and no address is")
	case typed(c, "offload") && !cfg.overUDP() && c.Command.Name != "relay":
		return usage("--offload is for udp, and no address is")
	case typed(c, "tcp-congestion") && !cfg.overTCP() && c.Command.Name != "relay":
		return usage("--tcp-congestion is for tcp, and no address is")
	}
	return nil
}

func (cfg *outConfig) overUDP() bool { return len(cfg.udp.To)+len(cfg.udp.Listen) > 0 }

func (cfg *outConfig) overTCP() bool { return len(cfg.tcp.To)+len(cfg.tcp.Listen) > 0 }
