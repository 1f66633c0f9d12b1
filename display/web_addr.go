package display

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// webAddr is Config.WebAddr, taken apart.
type webAddr struct {
	host, port string
	asked      bool // the user gave it, rather than the default
}

func parseWebAddr(s string) (webAddr, error) {
	if s == "" {
		host, port, err := net.SplitHostPort(DefaultWebAddr)
		return webAddr{host: host, port: port}, err
	}
	defaults, _ := parseWebAddr("")
	host, port, err := net.SplitHostPort(s)
	switch {
	case err == nil:
	case isPort(s): // a port alone opens nothing to the network
		host, port = defaults.host, s
	case strings.Contains(err.Error(), "missing port"), isIP(s):
		host, port = strings.Trim(s, "[]"), defaults.port
	default:
		return webAddr{}, bad("web", "is %q, want HOST:PORT, HOST, PORT or :PORT", s)
	}
	if !isPort(port) {
		return webAddr{}, bad("web", "is %q, its port must be 0..65535", s)
	}
	return webAddr{host: host, port: port, asked: true}, nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}

// listenWeb listens on s. The default address may be taken by another program: then
// any free port of the same interface does.
func listenWeb(s string) (net.Listener, webAddr, error) {
	addr, err := parseWebAddr(s)
	if err != nil {
		return nil, addr, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(addr.host, addr.port))
	if err != nil && !addr.asked {
		l, err = net.Listen("tcp", net.JoinHostPort(addr.host, "0"))
	}
	if err != nil {
		return nil, addr, fmt.Errorf("display: the web page cannot be served: %w: give another address (HOST:PORT)", err)
	}
	return l, addr, nil
}

// url is the page's address on this machine, given where it listens.
func (a webAddr) url(at net.Addr) string {
	host := a.host
	ip := at.(*net.TCPAddr).AddrPort().Addr().Unmap()
	switch {
	case host != "" && !ip.IsUnspecified():
	case ip.Is6():
		host = "::1"
	default:
		host = "127.0.0.1"
	}
	return address(host, at)
}

// places lists the page's addresses for the user: on an open port, those that
// another machine can try come first.
func (a webAddr) places(at net.Addr) string {
	local := a.url(at)
	if !at.(*net.TCPAddr).IP.IsUnspecified() {
		return local
	}
	var all []string
	addrs, _ := net.InterfaceAddrs()
	for _, i := range addrs {
		if n, ok := i.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			all = append(all, address(n.IP.String(), at))
		}
	}
	return strings.Join(append(all, local), " or ")
}

func address(host string, at net.Addr) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(at.(*net.TCPAddr).Port)) + "/"
}
