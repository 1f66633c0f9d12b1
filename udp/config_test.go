package udp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// checkConfigError wants a ConfigError of a field, or of another where that is empty.
func checkConfigError(t *testing.T, what string, err error, field, otherwise, says string) {
	t.Helper()
	if field == "" {
		field = otherwise
	}
	var wrong *ConfigError
	if !errors.As(err, &wrong) || wrong.Field != field || !strings.Contains(wrong.Err.Error(), says) {
		t.Errorf("%s: got %v, want a ConfigError of %q that says %q", what, err, field, says)
	}
}

func TestSenderConfig(t *testing.T) {
	to := func(s ...string) (all []netip.AddrPort) {
		for _, a := range s {
			all = append(all, netip.MustParseAddrPort(a))
		}
		return all
	}
	one := to("127.0.0.1:9")
	for _, tt := range []struct {
		field, says string
		cfg         SenderConfig
	}{
		{"to", "is empty", SenderConfig{}},
		{"to", "with a port", SenderConfig{To: to("127.0.0.1:0")}},
		{"to", "with a port", SenderConfig{To: to("239.1.2.3:0")}},
		{"to", "with a port", SenderConfig{To: []netip.AddrPort{{}}}},
		{"to", "no machine's address", SenderConfig{To: to("0.0.0.0:9")}},
		{"to", "no machine's address", SenderConfig{To: to("127.0.0.1:9", "[::]:9")}},
		{"mtu", "is 575", SenderConfig{To: one, MTU: 575}},
		{"mtu", "is 65536", SenderConfig{To: one, MTU: 65536}},
		{"dscp", "is 64", SenderConfig{To: one, DSCP: 64}},
		{"dscp", "is -1", SenderConfig{To: one, DSCP: -1}},
		{"ttl", "is 256", SenderConfig{To: to("239.1.2.3:9"), TTL: 256}},
		{"ttl", "is -1", SenderConfig{To: to("239.1.2.3:9"), TTL: -1}},
		{"iface", "no such address", SenderConfig{To: one, Interfaces: []string{"lo"}}},
	} {
		_, err := NewSender(tt.cfg)
		checkConfigError(t, tt.says, err, tt.field, "", tt.says)
	}
}

func TestReceiverConfig(t *testing.T) {
	group, six := netip.MustParseAddrPort("239.1.2.3:9"), netip.MustParseAddrPort("[ff15::1]:9")
	source, source6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fd00::1")
	for _, tt := range []struct {
		field, says string
		cfg         ReceiverConfig
	}{
		{"listen", "without a port", ReceiverConfig{Listen: netip.AddrPortFrom(group.Addr(), 0)}},
		{"multicast-source", "same family", ReceiverConfig{Listen: group, Source: source6}},
		{"multicast-source", "same family", ReceiverConfig{Listen: six, Source: source}},
		{"multicast-source", "own address", ReceiverConfig{Listen: group, Source: group.Addr()}},
		{"multicast-source", "own address", ReceiverConfig{Listen: six, Source: netip.IPv6Unspecified()}},
		{"multicast-source", "is for a multicast group", ReceiverConfig{Source: source}},
		{"iface", "is for a multicast group", ReceiverConfig{Interfaces: []string{"lo"}}},
	} {
		_, err := Listen(tt.cfg)
		checkConfigError(t, tt.says, err, tt.field, "", tt.says)
	}
}
