package tcp

import (
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"
)

// A connection has no room while more than a little of what was written has not been
// acknowledged, has some again when it has, and is given up when nothing moves.
func TestPressureHoldsFramesBack(t *testing.T) {
	l, err := listen(netip.MustParseAddrPort("127.0.0.1:0"), settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := dialWire(t, addrOf(l.Addr()))
	conn, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	written := 0
	p, err := newPressure(conn, func() uint64 { return uint64(written) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if room, err := p.room(now); !room || err != nil || !p.empty(now) {
		t.Errorf("an empty connection: got %v, %v", room, err)
	}
	conn.SetWriteDeadline(now.Add(500 * time.Millisecond))
	written, _ = conn.Write(make([]byte, 64<<20)) // until all buffers are full
	p.pathAt = now.Add(time.Hour)                 // the path is not known: a fast one takes more
	if room, err := p.room(now); room || err != nil || p.empty(now) {
		t.Errorf("with %d bytes written: got %v, %v", written, room, err)
	}
	if room, err := p.room(now.Add(stall)); room || err != nil {
		t.Errorf("at the limit: got %v, %v", room, err)
	}
	if _, err := p.room(now.Add(stall + 1)); !errors.Is(err, errStalled) {
		t.Errorf("after it: got %v, want errStalled", err)
	}
	if _, err := io.CopyN(io.Discard, w.in, int64(written)); err != nil {
		t.Fatal(err)
	}
	await(t, "room", func() bool { room, err := p.room(now.Add(stall + 1)); return room && err == nil && p.empty(now) })
}
