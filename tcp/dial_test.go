package tcp

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestAddressesKeepTheirZone(t *testing.T) {
	for host, want := range map[string]string{"fe80::1%eth0": "fe80::1%eth0", "192.0.2.1": "192.0.2.1", "::1": "::1"} {
		if got, err := resolve(t.Context(), host); err != nil || len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: got %v, %v", host, got, err)
		}
	}
}

func TestNamesAreResolved(t *testing.T) {
	got, err := resolve(t.Context(), "localhost")
	if err != nil || !slices.ContainsFunc(got, func(a netip.Addr) bool { return a.Unmap().IsLoopback() }) {
		t.Errorf("localhost: got %v, %v", got, err)
	}
	var log logBuffer
	r := newReceiver(t, ReceiverConfig{From: "no-such-host.invalid:5600", Log: log.logger()})
	await(t, "the failure", func() bool {
		return r.Stats().Failures > 0 && strings.Contains(log.String(), "no address found for that name")
	})
}
