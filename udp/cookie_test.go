package udp

import (
	"net/netip"
	"testing"
	"time"
)

func TestCookieIsValidInItsWindowAndTheNext(t *testing.T) {
	start := time.Now()
	viewer := netip.MustParseAddrPort("192.0.2.1:5000")
	c := newCookies(start)
	for _, given := range []time.Duration{0, 30 * time.Second, 60*time.Second - 1} {
		cookie := c.of(viewer, start.Add(given))
		for _, tt := range []struct {
			at    time.Duration
			valid bool
		}{{given, true}, {60*time.Second - 1, true}, {60 * time.Second, true}, {120*time.Second - 1, true}, {120 * time.Second, false}, {time.Hour, false}} {
			if got := c.valid(cookie, viewer, start.Add(tt.at)); got != tt.valid {
				t.Errorf("a cookie given after %v is valid after %v: %t, want %t", given, tt.at, got, tt.valid)
			}
		}
	}
	if later := c.of(viewer, start.Add(time.Hour)); c.valid(later, viewer, start) {
		t.Error("a cookie is valid an hour before it is given out")
	}
}

func TestCookieIsOneViewersOnly(t *testing.T) {
	now := time.Now()
	c, other := newCookies(now), newCookies(now)
	seen := make(map[uint64]netip.AddrPort)
	for _, a := range addrs("192.0.2.1:5000", "192.0.2.1:5001", "192.0.2.2:5000", "[2001:db8::1]:5000", "[fe80::1%1]:5000", "[fe80::1%11]:5000", "[fe80::1]:5000") {
		cookie := c.of(a, now)
		if b, taken := seen[cookie]; taken {
			t.Errorf("%v and %v have the same cookie", a, b)
		}
		seen[cookie] = a
		for b := range seen {
			if owner := seen[b]; c.valid(b, a, now) != (owner == a) {
				t.Errorf("the cookie of %v at %v: valid %t", owner, a, owner != a)
			}
		}
		for bit := range 64 {
			if c.valid(cookie^1<<bit, a, now) {
				t.Errorf("the cookie of %v is valid with bit %d wrong", a, bit)
			}
		}
		if other.valid(cookie, a, now) {
			t.Error("the cookie of one start of the program is valid in another")
		}
		if c.valid(0, a, now) {
			t.Error("no cookie is a valid one")
		}
	}
}

func TestCookiesDoNotAllocate(t *testing.T) {
	now := time.Now()
	c, viewer := newCookies(now), netip.MustParseAddrPort("[fe80::1%eth0]:5000")
	cookie := c.of(viewer, now)
	if n := testing.AllocsPerRun(100, func() {
		if c.of(viewer, now) != cookie || !c.valid(cookie, viewer, now) {
			t.Error("the cookie has changed")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
