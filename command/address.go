package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/framegram/framegram/internal/resolve"
)

// DefaultPort is used where an address names none.
const DefaultPort = 5600

// address is [udp://|tcp://]HOST[:PORT] as the user wrote it, taken apart.
type address struct {
	text      string
	transport string // "udp" or "tcp"
	host      string // a name, an IP address without brackets, or empty
	port      uint16
}

// parseAddress checks the form only; nothing is looked up.
func parseAddress(flag, text, transport string) (address, error) {
	a := address{text: text, transport: transport, port: DefaultPort}
	rest := text
	if scheme, after, ok := strings.Cut(text, "://"); ok {
		a.transport, rest = scheme, strings.TrimSuffix(after, "/")
	}
	if err := checkTransport(a.transport); err != nil {
		return a, err
	}
	if host, port := bracketless(rest); host != "" {
		return a, usage("--%s %q: an IPv6 address stands in brackets, so that its port can be told: want [%s]:%s, or [%s] if that is all address", flag, text, host, port, rest)
	}
	host, port, hasPort := splitPort(rest)
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsAny(host, ":/ []@,") {
		return a, usage("--%s %q: %q is not a host, want HOST, HOST:PORT or [IPV6]:PORT", flag, text, host)
	}
	a.host = host
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return a, usage("--%s %q: port is %q, want 0..65535", flag, text, port)
		}
		a.port = uint16(n)
	}
	return a, nil
}

// splitPort takes the port off HOST:PORT and the brackets off an IPv6 address. What
// is neither comes back as it is.
func splitPort(s string) (host, port string, hasPort bool) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		ip, rest, ok := strings.Cut(inner, "]")
		port, hasPort = strings.CutPrefix(rest, ":")
		if ok && isIPv6(ip) && (rest == "" || hasPort) {
			return ip, port, hasPort
		}
		return s, "", false
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !isIPv6(s) {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// bracketless is for an IPv6 address without brackets whose end looks like a port: four digits or five behind what is
// an address without them. Otherwise it is empty.
func bracketless(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || !isIPv6(s) || !isIPv6(s[:i]) || len(s)-i-1 < 4 {
		return "", ""
	}
	if n, err := strconv.ParseUint(s[i+1:], 10, 16); err != nil || n < 1024 {
		return "", ""
	}
	return s[:i], s[i+1:]
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

func checkTransport(t string) error {
	if t != "udp" && t != "tcp" {
		return usage("transport is %q, want udp or tcp", t)
	}
	return nil
}

// String is HOST:PORT, as net.Dial takes it.
func (a address) String() string { return net.JoinHostPort(a.host, strconv.Itoa(int(a.port))) }

// toGroup is for tcp, which knows no groups.
func (a address) toGroup(flag string) error {
	ip, err := netip.ParseAddr(a.host)
	if a.transport == "tcp" && err == nil && (ip.IsMulticast() || ip == broadcast) {
		return usage("--%s %q: multicast and broadcast go over udp only: use udp://%s, or tcp with each viewer's address", flag, a.text, a.host)
	}
	return nil
}

// toMachine is for what is dialled: an address that can be no machine's.
func (a address) toMachine(flag string) error {
	ip, err := netip.ParseAddr(a.host)
	switch {
	case err != nil: // a name
	case ip.IsUnspecified():
		return usage("--%s %q is no machine's address: name the other machine's, 127.0.0.1 for this one", flag, a.text)
	case ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "":
		return usage("--%s %q: a link-local address needs its interface, such as %s%%eth0", flag, a.text, ip)
	}
	return nil
}

// forMany reports whether an address is a group's, or everybody's.
func forMany(ip netip.Addr) bool { return ip.IsMulticast() || ip.Unmap() == broadcast }

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// resolve finds a's IP address, an IPv4 one where there are several. A host is
// needed.
func (a address) resolve(ctx context.Context) (netip.AddrPort, error) {
	found, err := resolve.IPv4First(ctx, a.host)
	switch {
	case err == nil:
		return netip.AddrPortFrom(found[0], a.port), nil
	case errors.Is(ctx.Err(), context.Canceled): // Ctrl-C
		return netip.AddrPort{}, context.Cause(ctx)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		err = errors.New(dns.Err)
	}
	return netip.AddrPort{}, fmt.Errorf("no address found for host %q: %w: check the name, or give an IP address", a.host, err)
}

// listenAddress is resolve for an address of this machine, which may have no host:
// then every address is meant.
func (a address) listenAddress(ctx context.Context) (netip.AddrPort, error) {
	if a.host == "" {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), a.port), nil
	}
	return a.resolve(ctx)
}
