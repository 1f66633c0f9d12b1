package udp

import "testing"

// Frames to many are cut for the way there, which may take less than its interface does.
func TestMTUOfManyFollowsTheRoute(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, tt := range []struct {
		to   string
		tell func() // that the way takes 1280 bytes
	}{
		{"239.1.2.3:5600", func() { ipCommand(t, "route add 239.0.0.0/8 dev lan0 mtu 1280") }},
		{"[ff15::42]:5600", func() { ipCommand(t, "-6 route add ff15::/16 dev lan0 table local mtu 1280") }},
		{"[ff15::42]:5600", func() { sysctlSet(t, "ipv6/conf/lan0/mtu", "1280") }}, // as a router's advertisement does
		{"10.1.0.255:5600", func() { ipCommand(t, "route change broadcast 10.1.0.255 dev lan0 table local mtu 1280") }},
	} {
		addLAN(t, "lan0", 1)
		s := speak(t, SenderConfig{To: addrs(tt.to)})
		write(t, s, frameOf(2))
		if st := s.Stats(); st.MTU != 1500 || st.Frames != 1 {
			t.Fatalf("to %s: cut for %d, want the interface's 1500; %d frames were sent", tt.to, st.MTU, st.Frames)
		}
		tt.tell()
		sendUntil(t, s, tt.to+": a frame cut anew", func() bool { return s.Stats().MTU == 1280 })
		before := s.Stats().To[0]
		write(t, s, frameOf(2))
		if st := s.Stats().To[0]; st.Frames != before.Frames+1 || st.Unsent != before.Unsent {
			t.Errorf("to %s: a frame cut for 1280 bytes was not sent: %+v", tt.to, st)
		}
		s.Close()
		ipCommand(t, "link del lan0")
	}
}
