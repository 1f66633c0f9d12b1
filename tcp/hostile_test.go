package tcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// What a peer that is not framegram, or not the other half, is told apart by. Both sides
// are tried, listening and dialling.
func TestStrangersAreToldApart(t *testing.T) {
	announce, hello := message(&fragment.Announce{}), message(&fragment.Hello{})
	version := bytes.Clone(hello)
	version[6] = 0x23
	for name, tt := range map[string]struct {
		says           []byte
		sender, viewer string // what the log says; empty = says is all right for this one
	}{
		"HTTP client":            {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "it speaks HTTP", "it speaks HTTP"},
		"HTTP server":            {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "it speaks HTTP", "it speaks HTTP"},
		"TLS":                    {[]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "it speaks TLS", "it speaks TLS"},
		"SSH":                    {[]byte("SSH-2.0-OpenSSH_9.6\r\n"), "it speaks SSH", "it speaks SSH"},
		"rubbish":                {randomBytes(100), "does not speak framegram", "does not speak framegram"},
		"a sender":               {announce, "it sends frames, as we do", ""},
		"a viewer":               {hello, "", "it wants frames, as we do"},
		"version 2":              {version, "it speaks version 2 of the protocol, we speak 1", "it speaks version 2 of the protocol, we speak 1"},
		"a lie about the length": {append([]byte{0xff, 0xff, 0xff, 0xff}, hello[4:]...), "it claims a first message of 4294967295 bytes", "it claims a first message of 4294967295 bytes"},
		"a frame first":          {dummyFrame(t), "first message is a frame", "first message is a frame"},
		"a pong first":           {message(&fragment.Pong{}), "first message is pong", "first message is pong"},
		"a short hello":          {append([]byte{0, 0, 0, 20}, hello[4:24]...), "does not keep to the protocol", "it wants frames"},
	} {
		check := func(who, want string, log *logBuffer, strangers func() uint64, w *wire) {
			if want == "" {
				return
			}
			w.send(tt.says)
			w.closed()
			await(t, name+" at "+who, func() bool { return strangers() > 0 && strings.Contains(log.String(), want) })
		}
		var logs [4]logBuffer
		s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, Log: logs[0].logger()})
		check("a listening sender", tt.sender, &logs[0], func() uint64 { return s.Stats().Strangers }, dialWire(t, s.LocalAddrs()[0]))
		r := newReceiver(t, ReceiverConfig{Listen: loopback, Log: logs[1].logger()})
		check("a listening viewer", tt.viewer, &logs[1], func() uint64 { return r.Stats().Strangers }, dialWire(t, r.LocalAddr()))
		at, accept := listenWire(t)
		s2 := newSender(t, SenderConfig{To: []string{at}, Log: logs[2].logger()})
		check("a dialling sender", tt.sender, &logs[2], func() uint64 { return s2.Stats().Strangers }, accept())
		s2.Close()
		at, accept = listenWire(t)
		r2 := newReceiver(t, ReceiverConfig{From: at, Log: logs[3].logger()})
		check("a dialling viewer", tt.viewer, &logs[3], func() uint64 { return r2.Stats().Strangers }, accept())
		if s.Stats().Connects+s2.Stats().Connects+r.Stats().Connects+r2.Stats().Connects != 0 {
			t.Errorf("%s was taken for one of us", name)
		}
		for _, closer := range []interface{ Close() error }{s, r, r2} {
			closer.Close()
		}
	}
}

func dummyFrame(t *testing.T) []byte { return (&wire{TB: t}).frameMessage(1, []byte("jpeg")) }

// Of two senders, or two viewers, both are told.
func TestSameRolesAreBothTold(t *testing.T) {
	var logs [4]logBuffer
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, Log: logs[0].logger()})
	newSender(t, SenderConfig{To: []string{s.LocalAddrs()[0].String()}, Log: logs[1].logger()})
	r := newReceiver(t, ReceiverConfig{Listen: loopback, Log: logs[2].logger()})
	newReceiver(t, ReceiverConfig{From: r.LocalAddr().String(), Log: logs[3].logger()})
	for i, want := range []string{"run `framegram view`", "run `framegram view`", "run `framegram send`", "run `framegram send`"} {
		await(t, want, func() bool { return strings.Contains(logs[i].String(), want) })
	}
}

func TestSilentPeersAreClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s")
	}
	var log logBuffer
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, Log: log.logger()})
	silent, cut := dialWire(t, s.LocalAddrs()[0]), dialWire(t, s.LocalAddrs()[0])
	cut.send(message(&fragment.Hello{})[:30])
	silent.closed()
	cut.closed()
	await(t, "both counted", func() bool { return s.Stats().Strangers == 2 })
	if got := log.String(); !strings.Contains(got, "said nothing for 3s") && !strings.Contains(got, "not whole after 3s") {
		t.Errorf("the log is %q", got)
	}
}

// More connections than may be greeting close the oldest: silence keeps nobody out.
func TestSilentCrowdKeepsNobodyOut(t *testing.T) {
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
	first := dialWire(t, s.LocalAddrs()[0])
	first.read(fragment.TypeAnnounce)
	for range maxLobby {
		dialWire(t, s.LocalAddrs()[0]).read(fragment.TypeAnnounce)
	}
	first.closed()
	newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()})
	awaitViewers(t, s, 1)
	await(t, "those displaced to be counted", func() bool { return s.Stats().Strangers >= 2 })
}

func TestFullHouseIsToldAndLeftLater(t *testing.T) {
	var log logBuffer
	s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}, MaxViewers: 1})
	first := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String()})
	awaitViewers(t, s, 1)
	second := newReceiver(t, ReceiverConfig{From: s.LocalAddrs()[0].String(), Log: log.logger()})
	await(t, "the refusal", func() bool {
		return strings.Contains(log.String(), "it serves as many as it allows") && s.Stats().Refused > 0 && second.Stats().Failures > 0
	})
	if second.Stats().Connects != 0 || second.Stats().Strangers != 0 {
		t.Errorf("got %+v", second.Stats())
	}
	first.Close()
	jpeg := randomBytes(100)
	flow(t, s, jpeg)
	see(t, second, jpeg)
}

// A viewer that is connected and then sends what is none of its business is closed.
func TestViewerMustKeepToTheProtocol(t *testing.T) {
	for name, says := range map[string][]byte{
		"a frame":            dummyFrame(t),
		"rubbish":            randomBytes(64),
		"a long message":     append([]byte{0, 0, 4, 1}, message(&fragment.Ping{})[4:]...),
		"another version":    {0, 0, 0, 40, 'F', 'G', 0x27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"less than a header": append([]byte{0, 0, 0, 19}, message(&fragment.Ping{})[4:]...),
	} {
		s := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}})
		w := dialWire(t, s.LocalAddrs()[0])
		w.hello()
		awaitViewers(t, s, 1)
		w.send(says)
		w.closed()
		await(t, "the viewer to be gone after "+name, func() bool { return len(s.Stats().Viewers) == 0 })
	}
}

// What it may say and we have no use for is skipped.
func TestUnknownMessagesAreSkipped(t *testing.T) {
	s, r := newSender(t, SenderConfig{Listen: []netip.AddrPort{loopback}}), newReceiver(t, ReceiverConfig{Listen: loopback})
	viewer, sender := dialWire(t, s.LocalAddrs()[0]), dialWire(t, r.LocalAddr())
	viewer.hello()
	sender.announce()
	unknown := append(message(&fragment.Ping{}), make([]byte, 900)...)
	binary.BigEndian.PutUint32(unknown, uint32(len(unknown)-4))
	for _, typ := range []byte{0, 1, 2, 3, 4, 5, 6, 12, 15} {
		unknown[6] = 0x10 | typ
		viewer.send(unknown)
		sender.send(unknown)
	}
	viewer.send(message(&fragment.Ping{Common: viewer.common(), ID: 77}))
	var p fragment.Pong
	if err := p.Parse(viewer.read(fragment.TypePong)); err != nil || p.ID != 77 {
		t.Errorf("got %+v, %v", p, err)
	}
	sender.send(sender.frameMessage(5, []byte("jpeg")))
	see(t, r, []byte("jpeg"))
}

// What a sender may do wrong, and under which one outcome each frame is counted.
func TestEveryFrameIsCountedOnce(t *testing.T) {
	r := newReceiver(t, ReceiverConfig{Listen: loopback, MaxFrame: 10_000})
	w := dialWire(t, r.LocalAddr())
	w.announce()
	w.send(w.frameMessage(10, []byte("ten")))
	see(t, r, []byte("ten"))
	w.send(w.frameMessage(14, []byte("fourteen"))) // 11 to 13 were left out
	see(t, r, []byte("fourteen"))
	damaged := w.frameMessage(15, []byte("fifteen"))
	damaged[len(damaged)-1]++
	w.send(damaged)
	sealed := w.frameMessage(16, []byte("sixteen"))
	sealed[7] = fragment.FlagSealed
	w.send(sealed)
	w.send(w.frameMessage(14, []byte("again")))
	w.send(w.frameMessage(13, []byte("late")))
	newer := w.frameMessage(20, append([]byte{1, 2, 3, 4}, "twenty"...))
	newer[4+36]++ // a header of a later minor version
	binary.BigEndian.PutUint32(newer[4+32:], fragment.FrameCRC([]byte("twenty")))
	w.send(newer)
	see(t, r, []byte("twenty"))
	cut := w.frameMessage(21, randomBytes(5000))
	w.send(cut[:3000])
	w.Close()
	await(t, "the end", func() bool { return r.Stats().Connected == 0 })

	// These end their connection.
	large := dialWire(t, r.LocalAddr())
	large.announce()
	large.send(large.frameMessage(1, randomBytes(10_001))[:100])
	large.closed()
	lie := dialWire(t, r.LocalAddr())
	lie.announce()
	b := lie.frameMessage(1, randomBytes(10))
	binary.BigEndian.PutUint32(b, 1<<32-1)
	lie.send(b)
	lie.closed()
	header := dialWire(t, r.LocalAddr())
	header.announce()
	b = header.frameMessage(1, randomBytes(10))
	b[4+36] = 13 // 52 bytes of header in a message of 50
	header.send(b)
	header.closed()

	st := r.Stats()
	want := ReceiverStats{Frames: 3, LeftOut: 3 + 4, Damaged: 2, Sealed: 1, Stale: 2, Cut: 1, TooLarge: 2, Connects: 4, Bytes: st.Bytes, From: st.From, Replaced: st.Replaced, Connected: st.Connected}
	if st != want {
		t.Errorf("got\n%+v, want\n%+v", st, want)
	}
}

// A frame that is claimed and does not come costs what has come, not what was claimed.
func TestClaimedFramesCostNothing(t *testing.T) {
	r := newReceiver(t, ReceiverConfig{Listen: loopback})
	claim := (&wire{TB: t}).frameMessage(1, make([]byte, 16<<20))[:70_000]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		w := dialWire(t, r.LocalAddr())
		w.announce()
		was := r.Stats().Cut
		w.send(claim)
		w.Close()
		await(t, "the end of it", func() bool { return r.Stats().Cut == was+1 })
	}
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 20*(1<<20) {
		t.Errorf("20 claims of 16 MiB cost %d bytes", cost)
	}
}

// Of a sender that stops in the middle of a frame nothing is shown, and it is given up.
func TestSenderThatStopsMidFrameIsDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s")
	}
	var log logBuffer
	r := newReceiver(t, ReceiverConfig{Listen: loopback, Log: log.logger()})
	w := dialWire(t, r.LocalAddr())
	w.announce()
	w.send(w.frameMessage(1, randomBytes(1000))[:500])
	w.closed()
	await(t, "the figures", func() bool { st := r.Stats(); return st.Cut == 1 && st.Dropped == 1 && st.Connected == 0 })
	await(t, "the log", func() bool { return strings.Contains(log.String(), "connected to a sender") })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if f, err := r.Next(ctx); err == nil {
		t.Errorf("half a frame was shown: %d bytes", len(f.JPEG))
	}
}
