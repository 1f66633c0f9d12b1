package udp

import (
	"strings"
	"testing"
)

// That nothing comes is said once, 3 s after the join, with what can be seen from here;
// that it stopped once again.
func TestSilenceIsSaidOnce(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	sysctlSet(t, "ipv4/conf/lan0/rp_filter", "1")
	var log journal
	group := addrs("239.1.2.3:5600")
	r := hear(t, ReceiverConfig{Listen: group[0], Log: log.logger()})
	said := func(what string, n int) {
		t.Helper()
		if got := strings.Count(log.String(), what); got != n {
			t.Errorf("%q was said %d times, want %d: %s", what, got, n, log.String())
		}
	}
	eventually(t, "the diagnosis", func() bool { return strings.Contains(log.String(), "nothing received for 3 s") })
	for _, part := range []string{"joined 239.1.2.3 on lan0, lo; nothing received for 3 s: perhaps ", "rp_filter is strict on lan0", "(--iface)", "(--ttl)", "UDP port 5600", "IGMP snooping"} {
		said(part, 1)
	}
	s := speak(t, SenderConfig{To: group})
	sendUntil(t, s, "a frame", func() bool { return r.Stats().Fragments.Complete > 0 })
	eventually(t, "the second diagnosis", func() bool { return strings.Contains(log.String(), "received until 3.") })
	before := r.Stats().Fragments.Complete
	sendUntil(t, s, "a frame after it", func() bool { return r.Stats().Fragments.Complete > before })
	said("nothing received for 3 s", 1)
	said("received until", 1)
}
