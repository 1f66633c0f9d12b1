// Package resolve finds the addresses of hosts.
package resolve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// within is the longest look-up of a name.
const within = 5 * time.Second

// Host finds the addresses of a name, at least one, in the order in which the system would
// try them (RFC 6724). An address is its own, with its zone. IPv4's are told as such.
func Host(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil // here, since LookupNetIP forgets its zone
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found, nil
}

// IPv4First is Host with the addresses of IPv4 before the others: over UDP nobody answers
// whether a way works, and IPv4's more often does.
func IPv4First(ctx context.Context, host string) ([]netip.Addr, error) {
	found, err := Host(ctx, host)
	ipv4First(found)
	return found, err
}

func ipv4First(found []netip.Addr) {
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
}
