package tcp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// A viewer that reads nothing skips frames. The other one, and Write, notice nothing.
func TestSlowViewerSkipsAndDelaysNobody(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	slow := dialWire(t, s.LocalAddrs()[0])
	slow.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	slow.hello()
	awaitViewers(t, s, 1)
	fast := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()})
	awaitViewers(t, s, 2)
	const frames = 60
	jpeg := randomBytes(1_000_000)
	for range frames {
		if err := s.Write(t.Context(), newFrame(jpeg)); err != nil {
			t.Fatal(err)
		}
		next(t, fast).Release() // the fast one gets each
	}
	// The slow one has not taken a megabyte, but for what kernels buffer.
	var skipped uint64
	for _, v := range s.Stats().Viewers {
		if v.Addr == slow.LocalAddr().String() {
			skipped = v.Skipped
		} else if v.Skipped != 0 {
			t.Errorf("the fast viewer skipped %d frames", v.Skipped)
		}
	}
	if skipped < frames/2 {
		t.Errorf("the slow viewer skipped %d of %d frames: where are the others?", skipped, frames)
	}

	// Reading again, it gets what was begun and then the newest.
	last := randomBytes(999_999)
	if err := s.Write(t.Context(), newFrame(last)); err != nil {
		t.Fatal(err)
	}
	var id uint32
	for read := 0; ; read++ {
		b := slow.read(fragment.TypeFrame)
		var h fragment.FrameHeader
		if _, err := h.Parse(b, len(b)); err != nil {
			t.Fatal(err)
		}
		if read > 0 && h.Frame <= id {
			t.Errorf("frame %d came after frame %d", h.Frame, id)
		}
		id = h.Frame
		if len(b)-fragment.FrameHeaderLen == len(last) {
			break
		}
		if read > frames/2 {
			t.Fatal("it got what it should have skipped")
		}
	}
	await(t, "the figures", func() bool { // every frame is in one of the two for each viewer
		st := s.Stats()
		return st.Delivered+st.Skipped == 2*st.Frames && st.Frames == frames+1
	})
}

// A pong does not wait until the frame before it has been acknowledged, let alone behind
// one that has not begun.
func TestPingIsAnsweredByABusySender(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	w := dialWire(t, s.LocalAddrs()[0])
	w.hello()
	awaitViewers(t, s, 1)
	flow(t, s, randomBytes(500_000))
	for id := range uint32(5) {
		before := time.Now().UnixMicro()
		w.send(message(&fragment.Ping{Common: w.common(), ID: id, Sent: before}))
		var p fragment.Pong
		if err := p.Parse(w.read(fragment.TypePong)); err != nil {
			t.Fatal(err)
		}
		if p.ID != id || p.Sent != before || p.Received < before-1000 || p.Answered < p.Received {
			t.Errorf("got %+v for ping %d of %d", p, id, before)
		}
	}
}

// A viewer that talks but takes nothing is given up.
func TestViewerThatTakesNothingIsDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	var log logBuffer
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, Log: log.logger()})
	w := dialWire(t, s.LocalAddrs()[0])
	w.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	w.hello()
	awaitViewers(t, s, 1)
	stop := flow(t, s, randomBytes(1_000_000))
	await(t, "the end", func() bool {
		w.Write(message(&fragment.Ping{Common: w.common()}))
		return s.Stats().Dropped == 1
	})
	awaitViewers(t, s, 0)
	stop()
	st := s.Stats()
	if all := st.Frames + st.Unsent; st.Bytes == 0 || st.Delivered > st.Frames || st.Delivered+st.Skipped > all || st.Delivered+st.Skipped < st.Frames {
		t.Errorf("the sums of who has left are wrong: %+v", st)
	}
}

func TestPressure(t *testing.T) {
	for _, tt := range []struct {
		name string
		path pathInfo
		want int
	}{
		{"unknown", pathInfo{}, littleQueued},
		{"5 Mbit/s", pathInfo{rate: 625_000, minRTT: 500}, littleQueued},
		{"1 Gbit/s, 1 ms", pathInfo{rate: 125_000_000, minRTT: 1000}, 2_625_000},
		{"50 Mbit/s, 50 ms", pathInfo{rate: 6_250_000, minRTT: 50_000}, 437_500},
		{"nonsense", pathInfo{rate: 1<<64 - 1, minRTT: 1<<32 - 1}, 1 << 30},
	} {
		if got := tt.path.enough(); got < tt.want-1 || got > tt.want+1 {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}
