package resolve

import (
	"context"
	"net/netip"
	"slices"
	"testing"
)

func TestAnAddressIsItsOwn(t *testing.T) {
	for host, want := range map[string]string{
		"fe80::1%eth0": "fe80::1%eth0", "192.0.2.1": "192.0.2.1", "::1": "::1", "::ffff:192.0.2.1": "192.0.2.1",
	} {
		for name, f := range map[string]func(context.Context, string) ([]netip.Addr, error){"Host": Host, "IPv4First": IPv4First} {
			if got, err := f(t.Context(), host); err != nil || len(got) != 1 || got[0].String() != want {
				t.Errorf("%s of %s: got %v, %v, want %s", name, host, got, err, want)
			}
		}
	}
}

func TestANameHasItsAddresses(t *testing.T) {
	got, err := IPv4First(t.Context(), "localhost")
	if err != nil || !slices.ContainsFunc(got, netip.Addr.IsLoopback) || slices.ContainsFunc(got, netip.Addr.Is4In6) {
		t.Errorf("localhost: got %v, %v", got, err)
	}
}

func TestIPv4ComesFirst(t *testing.T) {
	found := []netip.Addr{netip.MustParseAddr("fd00::2"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.1")}
	want := []netip.Addr{found[1], found[3], found[0], found[2]}
	if ipv4First(found); !slices.Equal(found, want) {
		t.Errorf("got %v, want %v, each kind in its order", found, want)
	}
}
