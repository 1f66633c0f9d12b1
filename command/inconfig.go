package command

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/internal/errno"
	"github.com/framegram/framegram/udp"
)

// inFlags are those of every command that receives.
func inFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "listen", Category: catNetwork, DefaultText: fmt.Sprintf(":%d", DefaultPort),
			Usage: "receive on `[udp://|tcp://][HOST][:PORT]`; no host means every address of this machine; a multicast group is joined"},
		&cli.StringFlag{Name: "from", Category: catNetwork,
			Usage: "fetch from the sender at `[udp://|tcp://]HOST[:PORT]` that serves (send --listen); a multicast group is joined, as with --listen"},
		&cli.StringFlag{Name: "multicast-source", Category: catNetwork,
			Usage: "hear only the sender with this `IP` address in the group (source-specific multicast)"},
		deadlineFlag(), onLossFlag(),
	)
}

// netFlags are those of both sides.
func netFlags() []cli.Flag {
	return join(repairFlags(), withEnv(
		&cli.StringFlag{Name: "transport", Category: catNetwork, Value: "udp",
			Usage: "`udp|tcp`; how frames travel where an address has no scheme (udp://, tcp://)"},
		&cli.StringSliceFlag{Name: "iface", Category: catNetwork, DefaultText: "every one that is up and can multicast",
			Usage: "multicast: network interface by `NAME`, such as eth0; repeat it for several"},
		&cli.StringFlag{Name: "offload", Category: catNetwork, Value: "auto",
			Usage: "udp: many datagrams in one, taken apart and put together by kernel and card (Linux), `auto|off`"},
		&cli.StringFlag{Name: "tcp-congestion", Category: catNetwork, DefaultText: "the system's",
			Usage: "tcp: congestion control by `NAME`, such as cubic or bbr (Linux)"},
	))
}

// inAddress is the address to receive on or from.
func inAddress(c *cli.Context) (flag string, a address, err error) {
	transport := c.String("transport")
	flag, text := "listen", c.String("listen")
	switch {
	case c.IsSet("from") && c.IsSet("listen"):
		return "", a, usage("--listen and --from exclude each other: --listen waits for a sender, --from goes to one")
	case c.IsSet("from"):
		flag, text = "from", c.String("from")
	}
	if a, err = parseAddress(flag, text, transport); err != nil {
		return "", a, err
	}
	if flag == "from" && (a.host == "" || a.port == 0) {
		return "", a, usage("--from %q: want a host and a port over 0", text)
	}
	if err := a.toGroup(flag); err != nil {
		return "", a, err
	}
	if flag == "from" {
		err = a.toMachine(flag)
	}
	return flag, a, err
}

// inConfig is what the flags say of udp. --from one machine asks it, and is looked up anew
// whenever it has been silent; from a group is the same as listening to it.
func (s *session) inConfig(c *cli.Context, flag string, a address) (cfg udp.ReceiverConfig, err error) {
	cfg.Log = s.log
	if cfg.NoOffload, err = noOffload(c); err != nil {
		return cfg, err
	}
	if err = repairIn(c, &cfg); err != nil {
		return cfg, err
	}
	ip, err := netip.ParseAddr(a.host)
	if flag == "from" && !(err == nil && forMany(ip)) {
		cfg.From = a.String()
		return cfg, onlyMulticast(c, false)
	}
	if cfg.Listen, err = a.listenAddress(c.Context); err != nil {
		return cfg, fmt.Errorf("--%s %q: %w", flag, a.text, err)
	}
	group := forMany(cfg.Listen.Addr())
	if err := onlyMulticast(c, group); err != nil || !group {
		return cfg, err
	}
	cfg.Interfaces = words(c, "iface")
	if text := c.String("multicast-source"); text != "" {
		if cfg.Source, err = netip.ParseAddr(text); err != nil {
			return cfg, usage("--multicast-source is %q, want an IP address", text)
		}
	}
	return cfg, nil
}

// noOffload is what --offload says.
func noOffload(c *cli.Context) (bool, error) {
	switch text := c.String("offload"); text {
	case "auto":
		return false, nil
	case "off":
		return true, nil
	default:
		return false, usage("--offload is %q, want auto or off", text)
	}
}

// onlyMulticast refuses flags that would do nothing.
func onlyMulticast(c *cli.Context, group bool) error {
	switch {
	case typed(c, "multicast-source") && !group:
		return usage("--multicast-source goes with a multicast group in --listen or --from")
	case typed(c, "iface") && !group && c.Command.Name != "relay": // its other side may want it
		return usage("--iface is for multicast, and the address is no group")
	}
	return nil
}

// inWords tells what went wrong when a socket was opened for flag.
func inWords(flag, text string, err error) error {
	var wrong *udp.ConfigError
	switch {
	case errors.As(err, &wrong):
		if wrong.Field == "listen" {
			return usage("--%s %w", flag, wrong.Err)
		}
		return usage("--%s %w", wrong.Field, wrong.Err)
	case errno.Of(err) == syscall.EACCES:
		return fmt.Errorf("--%s %q: this user may not listen there: ports below 1024 need root or CAP_NET_BIND_SERVICE: choose another port", flag, text)
	case errno.Of(err) == syscall.EADDRINUSE && text == "":
		return fmt.Errorf("the port is in use: another program, or another framegram, listens at the default one: choose another port with --%s :PORT", flag)
	case errno.Of(err) == syscall.EADDRINUSE:
		return fmt.Errorf("--%s %q: the port is in use: another program, or another framegram, is there: choose another port", flag, text)
	case errno.Of(err) == syscall.EADDRNOTAVAIL:
		return fmt.Errorf("--%s %q: this machine has no such address: leave the host out to listen on all", flag, text)
	}
	return err
}

// invitation says what to run on the other machine, where that can be known.
func invitation(what, scheme string, at netip.AddrPort) string {
	ip := at.Addr()
	if ip.IsUnspecified() {
		if ip = ownAddress(); !ip.IsValid() {
			return ""
		}
	}
	text := ip.String()
	if at.Port() != DefaultPort || scheme != "" && strings.Contains(text, ":") {
		text = netip.AddrPortFrom(ip, at.Port()).String()
	}
	return ": framegram " + what + " " + scheme + text
}

// ownAddress is this machine's first IPv4 address that others may reach it at, or
// invalid when it has none.
func ownAddress() netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP.To4()); ok && ip.IsGlobalUnicast() {
				return ip
			}
		}
	}
	return netip.Addr{}
}
