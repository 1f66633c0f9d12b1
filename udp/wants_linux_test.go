package udp

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/framegram/framegram/fragment"
)

// A group's viewer asks from the socket that is its own, of who sends to the group, and takes what is sent to the group again.
func TestGroupViewersAskTheSender(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	addLAN(t, "lan0", 1)
	group := ap("239.1.2.3:5600")
	r := hear(t, ReceiverConfig{Listen: group, Interfaces: []string{"lan0"}, Repair: true, Deadline: 5 * time.Second})
	ifi, err := net.InterfaceByName("lan0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := ipv4.NewPacketConn(c).SetMulticastInterface(ifi); err != nil {
		t.Fatal(err)
	}
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	g := &giver{t: t, c: c, to: group, cut: cut, session: newSession()}
	defer g.history.Drop()
	g.send(frameOf(1))
	shown(t, r)
	f := pictureOf(20)
	g.send(f, 5, 19)
	buf := make([]byte, 2000)
	for done := false; !done; {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatalf("nobody asks: %v, %+v", err, r.Stats().Fragments)
		}
		var ask fragment.Repair
		if ask.Parse(buf[:n]) != nil {
			continue // a ping
		}
		if from = unmap(from); from.Port() == group.Port() || from.Addr().IsMulticast() {
			t.Errorf("asked from %v, which is no socket of the viewer's own", from)
		}
		g.answer(ask)
		done = r.Stats().Fragments.Complete == 2 || ask.Missing[0].Bits[19/8]>>(19%8)&1 != 0
	}
	if !bytes.Equal(shown(t, r), f.JPEG) {
		t.Error("another frame is shown")
	}
	if c := r.Stats().Fragments; c.Repaired != 1 {
		t.Errorf("%+v", c)
	}
}
