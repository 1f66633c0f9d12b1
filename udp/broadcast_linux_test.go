package udp

import (
	"net/netip"
	"slices"
	"testing"
)

// Both kinds of broadcast reach a viewer who listens on everything and any number of
// those who listen on the broadcast address.
func TestBroadcast(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	addLAN(t, "lan1", 2)
	for _, tt := range []struct {
		to    string
		on    []string
		wants []string // interfaces
	}{
		{"255.255.255.255:5600", nil, []string{"lan0", "lan1"}},
		{"255.255.255.255:5600", []string{"lan1"}, []string{"lan1"}},
		{"10.2.0.255:5600", nil, []string{"lan1"}},
		{"10.2.0.255:5600", []string{"lan1"}, []string{"lan1"}},
	} {
		t.Run(tt.to, func(t *testing.T) {
			to := addrs(tt.to)
			everything := hear(t, ReceiverConfig{Listen: netip.AddrPortFrom(netip.Addr{}, 5601)})
			viewers := []*Receiver{everything, hear(t, ReceiverConfig{Listen: to[0]}), hear(t, ReceiverConfig{Listen: to[0]})}
			s := speak(t, SenderConfig{To: []netip.AddrPort{to[0], netip.AddrPortFrom(to[0].Addr(), 5601)}, Interfaces: tt.on})
			for range 50 {
				write(t, s, frameOf(3))
				for _, r := range viewers {
					next(t, r)
				}
			}
			var names []string
			for _, d := range s.Stats().To {
				if d.Addr == tt.to {
					names = append(names, d.Interface)
				}
			}
			if !slices.Equal(names, tt.wants) {
				t.Errorf("sent on %v, want %v", names, tt.wants)
			}
			for i, r := range viewers {
				if st := r.Stats(); st.Fragments.Complete != 50 || st.Fragments.Lost != 0 {
					t.Errorf("viewer %d: %+v", i, st)
				}
			}
			for _, r := range viewers {
				sendUntil(t, s, "the sender's clock", func() bool { _, ok := r.Clock(); return ok })
			}
		})
	}
}
