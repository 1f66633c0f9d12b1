package udp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// The stream comes back by itself when an interface goes down and up, when it comes
// back as another one of the same name (a USB adapter), and when its address goes.
func TestInterfaceComesBack(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for i, group := range addrs("239.1.2.3:5600", "[ff15::42]:5600") {
		named := i == 1
		t.Run(group.String(), func(t *testing.T) {
			addLAN(t, "lan0", 1)
			defer ipCommand(t, "link del lan0")
			addLAN(t, "lan1", 2)
			defer ipCommand(t, "link del lan1")
			var on []string
			if named {
				on = []string{"lan0", "lan1"}
			}
			var log journal
			s := speak(t, SenderConfig{To: []netip.AddrPort{group}, Interfaces: on, Log: log.logger()})
			r := hear(t, ReceiverConfig{Listen: group, Interfaces: []string{"lan0"}, Log: log.logger()})
			other := hear(t, ReceiverConfig{Listen: group, Interfaces: []string{"lan1"}})
			flows := func(r *Receiver, what string) {
				t.Helper()
				before := r.Stats().Fragments.Complete
				sendUntil(t, s, what, func() bool { return r.Stats().Fragments.Complete > before+3 })
			}
			flows(r, "the stream")
			for what, do := range map[string][2]func(){
				"down and up": {
					func() { ipCommand(t, "link set lan0 down") },
					func() { raise(t, "lan0", 1) },
				},
				"another of the same name": {
					func() { ipCommand(t, "link del lan0") },
					func() { addLAN(t, "lan0", 1) },
				},
				"address gone": {
					func() { ipCommand(t, "addr flush dev lan0") },
					func() { raise(t, "lan0", 3+i) },
				},
			} {
				do[0]()
				sendUntil(t, s, what+": noticed", func() bool { return !slices.Contains(r.Stats().Joined, "lan0") && s.dests[0].away })
				flows(other, what+": the other interface's stream")
				unsent := s.Stats().To[1].Unsent
				do[1]()
				flows(r, what+": the stream")
				if s.Stats().To[1].Unsent != unsent {
					t.Errorf("%s: cost the other interface datagrams: %+v", what, s.Stats().To)
				}
			}
			if st := s.Stats().To; len(st) != 2 || st[0].Interface != "lan0" {
				t.Errorf("destinations are %+v", st)
			}
		})
	}
}

// Without names, interfaces that appear later are spoken and heard on; loopback is
// spoken on only as long as there is nothing else, and the ports of a bridge never.
func TestInterfacesThatAppear(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	group := addrs("239.1.2.3:5600")
	s := speak(t, SenderConfig{To: group})
	r := hear(t, ReceiverConfig{Listen: group[0]})
	write(t, s, frameOf(1))
	next(t, r)
	if st := s.Stats().To; len(st) != 1 || st[0].Interface != "lo" {
		t.Errorf("with nothing but loopback: %+v", st)
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "port0", 2)
	ipCommand(t, "link add bridge0 type bridge")
	ipCommand(t, "link set port0 master bridge0")
	ipCommand(t, "addr add 10.3.0.1/24 dev bridge0")
	ipCommand(t, "link set bridge0 up")
	sendUntil(t, s, "both new ones", func() bool {
		joined := r.Stats().Joined
		return slices.Contains(joined, "lan0") && slices.Contains(joined, "bridge0") && len(s.dests) == 2
	})
	before := r.Stats().Fragments.Complete
	sendUntil(t, s, "the stream by them", func() bool { return r.Stats().Fragments.Complete > before+3 })
	var names []string
	for _, d := range s.Stats().To {
		names = append(names, d.Interface)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"bridge0", "lan0"}) {
		t.Errorf("sent on %v", names)
	}
}

// With no interface at all sender and viewer wait for one.
func TestNoInterfaceYet(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ipCommand(t, "link set lo down")
	var log journal
	group := addrs("239.1.2.3:5600")
	s := speak(t, SenderConfig{To: group, Log: log.logger()})
	r := hear(t, ReceiverConfig{Listen: group[0], Log: log.logger()})
	if st := s.Stats(); st.Shard != 1408 {
		t.Errorf("frames are cut into %d bytes, want 1408", st.Shard)
	}
	addLAN(t, "lan0", 1)
	sendUntil(t, s, "a frame", func() bool { return r.Stats().Fragments.Complete > 0 })
	s.Close() // by then the log is written
	r.Close()
	if got := log.String(); strings.Count(got, "no interface to send on") != 1 || strings.Count(got, "no interface to hear") != 1 {
		t.Errorf("log is %q", got)
	}
}

// Datagrams are cut for the interface's MTU, and for a new one when it falls.
func TestGroupMTU(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "lan1", 2)
	ipCommand(t, "link set lan1 mtu 1420")
	group := addrs("239.1.2.3:5600")
	s := speak(t, SenderConfig{To: group})
	r := hear(t, ReceiverConfig{Listen: group[0], Interfaces: []string{"lan1"}})
	write(t, s, frameOf(2))
	next(t, r)
	if st := s.Stats(); st.MTU != 1420 || st.Shard != 1280 {
		t.Errorf("cut for %d and %d, want the smaller interface's 1420 and 1280", st.MTU, st.Shard)
	}
	ipCommand(t, "link set lan1 mtu 1300")
	s.fit(time.Now()) // what a second would do anyway is not what is tried here
	s.cut.SetShard(1280)
	write(t, s, frameOf(2)) // does not fit
	before := r.Stats().Fragments.Complete
	sendUntil(t, s, "a frame cut anew", func() bool { return r.Stats().Fragments.Complete > before })
	if st := s.Stats(); st.MTU != 1300 {
		t.Errorf("cut for %d, want 1300", st.MTU)
	}
}

// Until duplicate address detection is over there is no address to send from: that is
// said, and tried again.
func TestDuplicateAddressDetection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	sysctlSet(t, "ipv6/conf/default/accept_dad", "1")
	ipCommand(t, "link add lan0 type veth peer name far0")
	ipCommand(t, "link set far0 up")
	ipCommand(t, "link set lan0 up")
	eventually(t, "an address", func() bool {
		all, err := links()
		return err == nil && find(all, "lan0").has(false)
	})
	var log journal
	group := addrs("[ff15::42%lan0]:5600")
	s := speak(t, SenderConfig{To: group, Log: log.logger()})
	r := hear(t, ReceiverConfig{Listen: group[0]})
	write(t, s, frameOf(1))
	eventually(t, "the news", func() bool { return log.has("IPv6 checks a new one") })
	sendUntil(t, s, "a frame", func() bool { return r.Stats().Fragments.Complete > 0 })
}

func TestInterfaceErrors(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "down0", 2)
	ipCommand(t, "link set down0 down")
	ipCommand(t, "link set far-lan0 multicast off")
	group, six := addrs("239.1.2.3:9")[0], addrs("[ff15::42]:9")[0]
	zoned := addrs("[ff15::42%lan0]:9")[0]
	for _, tt := range []struct {
		to      netip.AddrPort
		on      []string
		field   string
		says    string
		sending bool // not what a viewer is told
	}{
		{group, []string{"eth7"}, "iface", `"eth7" is unknown here: there are lo, `, false},
		{group, []string{"lan0", "down0"}, "iface", `"down0" is down`, false},
		{group, []string{"far-lan0"}, "iface", `"far-lan0" can carry neither`, false},
		{zoned, []string{"down0"}, "iface", "is down", false},
		{zoned, []string{"lo"}, "iface", "contradicts", false},
		{zoned, []string{"lan0", "lo"}, "iface", "more than the group", false},
		{netip.AddrPortFrom(six.Addr().WithZone("eth7"), 9), nil, "", `interface "eth7" is unknown`, false},
		{netip.AddrPortFrom(six.Addr().WithZone("down0"), 9), nil, "", `interface "down0" is down`, false},
		{addrs("10.1.0.255:9")[0], []string{"lo"}, "iface", "leave it out", true},
		{addrs("10.1.0.7:9")[0], []string{"lan0"}, "iface", "is for", false},
	} {
		_, err := NewSender(SenderConfig{To: []netip.AddrPort{tt.to}, Interfaces: tt.on})
		checkConfigError(t, fmt.Sprint("sending to ", tt.to, tt.on), err, tt.field, "to", tt.says)
		if !tt.sending {
			_, err = Listen(ReceiverConfig{Listen: tt.to, Interfaces: tt.on})
			checkConfigError(t, fmt.Sprint("listening on ", tt.to, tt.on), err, tt.field, "listen", tt.says)
		}
	}
	lan, err := net.InterfaceByName("lan0")
	if err != nil {
		t.Fatal(err)
	}
	numbered := netip.AddrPortFrom(six.Addr().WithZone(fmt.Sprint(lan.Index)), 9)
	if st := speak(t, SenderConfig{To: []netip.AddrPort{numbered}}).Stats().To; len(st) != 1 || st[0].Interface != "lan0" {
		t.Errorf("to %v: %+v", numbered, st)
	}
}
