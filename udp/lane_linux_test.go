package udp

import "testing"

// Of interfaces that have one address, as VLANs of one card do, the one that a destination
// names is the one whose lane it takes.
func TestLaneOfEqualAddresses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for i, name := range []string{"lan0", "lan1", "lan2"} {
		addLAN(t, name, i+1)
		ipCommand(t, "addr flush dev "+name+" scope link")
		ipCommand(t, "addr add fe80::1/64 dev "+name+" nodad")
	}
	for _, name := range []string{"lan0", "lan1", "lan2"} {
		s := speak(t, SenderConfig{To: addrs("[fe80::2%" + name + "]:5600")})
		write(t, s, frameOf(1))
		if lanes := s.Stats().Lanes; len(lanes) != 1 || lanes[0].Interface != name {
			t.Errorf("by %s: the lanes are %+v", name, lanes)
		}
	}
}
