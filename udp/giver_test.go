package udp

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// giver is a sender made by hand: it sends what of a frame it likes, and sees what is asked for.
type giver struct {
	t       *testing.T
	c       *net.UDPConn
	to      netip.AddrPort
	cut     *fragment.Splitter
	history fragment.History
	session uint64
	seq     uint64
	id      uint32
	asked   int // requests read
}

func newGiver(t *testing.T, to netip.AddrPort) *giver {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cut, err := fragment.NewSplitter(1408)
	if err != nil {
		t.Fatal(err)
	}
	g := &giver{t: t, c: c, to: to, cut: cut, session: newSession()}
	t.Cleanup(func() { c.Close(); g.history.Drop() })
	return g
}

// send sends a frame without some of its datagrams.
func (g *giver) send(f *stream.Frame, without ...int) {
	g.t.Helper()
	g.id++
	now := time.Now()
	all, err := g.cut.Split(g.id, now.UnixMicro(), f.JPEG)
	if err != nil {
		g.t.Fatal(err)
	}
	g.history.Keep(g.id, f, g.cut, now)
	g.cut.Stamp(0, len(all), g.session, g.seq)
	g.seq += uint64(len(all))
	for _, i := range without {
		all[i].Header = nil
	}
	for _, d := range all {
		if d.Header != nil {
			g.write(d)
		}
	}
}

func (g *giver) write(d fragment.Datagram) {
	if _, err := g.c.WriteToUDPAddrPort(append(bytes.Clone(d.Header), d.Payload...), g.to); err != nil {
		g.t.Error(err)
	}
}

// next is the next request, false if none comes by a time.
func (g *giver) next(by time.Time) (ask fragment.Repair, ok bool) {
	g.t.Helper()
	buf := make([]byte, 2000)
	g.c.SetReadDeadline(by)
	for {
		n, from, err := g.c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return ask, false
		}
		if from = unmap(from); from != g.to {
			g.t.Errorf("asked from %v, and the viewer is %v", from, g.to)
		}
		if ask.Parse(buf[:n]) == nil {
			g.asked++
			return ask, true
		}
	}
}

// answer sends what is asked for again.
func (g *giver) answer(ask fragment.Repair) (fragments int) {
	k := g.history.Frame(ask.Frame, time.Now())
	pieces, _ := k.Wanted(nil, &ask)
	for _, p := range pieces {
		g.write(k.Again(make([]byte, fragment.HeaderLen), p, g.session, g.seq))
		g.seq++
	}
	return len(pieces)
}

func hearing(t *testing.T, cfg ReceiverConfig) *Receiver {
	t.Helper()
	cfg.Listen = ap("127.0.0.1:0")
	r, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// shown is the next frame, which must come.
func shown(t *testing.T, r *Receiver) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	f, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("%v: %+v", err, r.Stats().Fragments)
	}
	defer f.Release()
	return bytes.Clone(f.JPEG)
}
