package udp

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
)

func testLink(index int, name string, flags net.Flags, addrs ...string) link {
	l := link{Interface: net.Interface{Index: index, Name: name, Flags: flags}}
	for _, a := range addrs {
		l.addrs = append(l.addrs, netip.MustParsePrefix(a))
	}
	return l
}

func TestChoose(t *testing.T) {
	const lan = net.FlagUp | net.FlagBroadcast | net.FlagMulticast | net.FlagRunning
	port := testLink(4, "port", lan, "10.4.0.1/24", "fe80::4/64")
	port.enslaved = true
	all := []link{
		testLink(1, "lo", net.FlagUp|net.FlagLoopback|net.FlagRunning, "127.0.0.1/8", "::1/128"),
		testLink(2, "eth0", lan, "10.2.0.1/24", "fe80::2/64"),
		testLink(3, "down", lan&^net.FlagUp, "10.3.0.1/24", "fe80::3/64"),
		port,
		testLink(5, "unplugged", lan&^net.FlagRunning, "10.5.0.1/24", "fe80::5/64"),
		testLink(6, "four", lan, "10.6.0.1/24"),
		testLink(7, "tunnel", net.FlagUp|net.FlagPointToPoint|net.FlagRunning, "10.7.0.1/32", "fd00::7/128"),
		testLink(8, "bare", lan),
	}
	loop := all[:1]
	for _, tt := range []struct {
		addr  string
		names []string
		all   []link
		speak string
		hear  string
	}{
		{"239.1.1.1", nil, all, "eth0, unplugged, four", "eth0, unplugged, four, lo"},
		{"ff15::1", nil, all, "eth0", "eth0, unplugged, lo"},
		{"255.255.255.255", nil, all, "eth0, unplugged, four", ""},
		{"239.1.1.1", nil, loop, "lo", "lo"},
		{"255.255.255.255", nil, loop, "", ""},
		{"239.1.1.1", []string{"four", "lo", "bare", "gone"}, all, "lo, four", "lo, four"},
		{"ff15::1", []string{"four"}, all, "", ""},
		{"239.1.1.1", []string{"port"}, all, "port", "port"},
		{"239.1.1.1", nil, nil, "", ""},
	} {
		w := wish{addr: netip.MustParseAddr(tt.addr), names: tt.names}
		if got := linkNames(w.choose(tt.all, false)); got != tt.speak {
			t.Errorf("%v of %d interfaces: spoken on %q, want %q", &w, len(tt.all), got, tt.speak)
		}
		if !w.group() {
			continue
		}
		if got := linkNames(w.choose(tt.all, true)); got != tt.hear {
			t.Errorf("%v of %d interfaces: heard on %q, want %q", &w, len(tt.all), got, tt.hear)
		}
	}
}

func TestInterfacesAreBounded(t *testing.T) {
	var all []link
	for i := range 100 {
		all = append(all, testLink(i+1, fmt.Sprint("veth", i), net.FlagUp|net.FlagMulticast|net.FlagRunning, "10.0.0.1/24"))
	}
	w := wish{addr: netip.MustParseAddr("239.1.1.1")}
	if got := len(w.choose(all, true)); got != maxLinks {
		t.Errorf("of 100 interfaces %d are chosen, want %d", got, maxLinks)
	}
}

func TestBroadcastAddresses(t *testing.T) {
	l := testLink(1, "eth0", net.FlagUp|net.FlagBroadcast, "192.168.1.7/24", "10.255.255.254/8", "172.16.0.1/31", "172.17.0.1/32", "fd00::1/64")
	for addr, want := range map[string]bool{
		"192.168.1.255": true, "10.255.255.255": true,
		"192.168.1.0": false, "192.168.1.7": false, "192.168.2.255": false, "10.0.0.255": false,
		"172.16.0.1": false, "172.17.0.1": false, "255.255.255.255": false, "fd00::ffff:ffff:ffff:ffff": false,
	} {
		if got := l.broadcasts(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is a broadcast address: %t, want %t", addr, got, want)
		}
	}
	l.Flags = net.FlagUp | net.FlagPointToPoint
	if l.broadcasts(netip.MustParseAddr("192.168.1.255")) {
		t.Error("an interface that cannot broadcast has a broadcast address")
	}
}
