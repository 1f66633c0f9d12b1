package udp

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

// beggar is a viewer that asks for what it likes.
type beggar struct {
	t  *testing.T
	c  *net.UDPConn
	to netip.AddrPort // the sender, once a datagram has come
}

func newBeggar(t *testing.T) *beggar {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	setReadBuffer(c, 4<<20)
	return &beggar{t: t, c: c}
}

// data is the next data datagram, which must come; its header is valid, and its payload the caller's.
func (b *beggar) data() (h fragment.Header, payload []byte) {
	b.t.Helper()
	if !b.next(&h, &payload, 10*time.Second) {
		b.t.Fatal("nothing comes")
	}
	return h, payload
}

func (b *beggar) next(h *fragment.Header, payload *[]byte, patience time.Duration) bool {
	buf := make([]byte, 2000)
	for {
		b.c.SetReadDeadline(time.Now().Add(patience))
		n, from, err := b.c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return false
		}
		if from = unmap(from); b.to != from { // who asks meanwhile reads it
			b.to = from
		}
		if *payload, err = h.Parse(buf[:n]); err == nil {
			return true
		}
	}
}

// ask asks for fragments of blocks.
func (b *beggar) ask(session uint64, frame uint32, missing ...fragment.Missing) {
	b.t.Helper()
	m, err := (&fragment.Repair{Of: session, Frame: frame, Missing: missing}).AppendBinary(nil)
	if err == nil {
		_, err = b.c.WriteToUDPAddrPort(m, b.to)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// some asks for single fragments of block 0.
func some(list ...int) (m fragment.Missing) {
	for _, i := range list {
		m.Bits[i/8] |= 1 << (i % 8)
	}
	return m
}

// balance checks that everything asked for is accounted for.
func balance(t *testing.T, s *Sender) (sum RepairStats) {
	t.Helper()
	s.publish()
	st := s.Stats()
	for _, d := range st.To {
		sum.add(d.Repairs)
	}
	for _, r := range append([]RepairStats{st.Repairs}, sum) {
		if r.Wanted != r.Resent+r.Repeated+r.Gone+r.Refused+r.Unsent {
			t.Errorf("the figures do not balance: %+v", r)
		}
	}
	return sum
}

func pictureOf(datagrams int) *stream.Frame {
	f := frameOf(datagrams)
	rand.NewChaCha8([32]byte{byte(datagrams)}).Read(f.JPEG)
	return f
}
