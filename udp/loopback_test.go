package udp_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp"
)

// link opens a Receiver on a loopback address and a Sender to it.
func link(t testing.TB, host string) (*udp.Sender, *udp.Receiver) {
	t.Helper()
	r, err := udp.Listen(udp.ReceiverConfig{Listen: netip.AddrPortFrom(netip.MustParseAddr(host), 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	s, err := udp.NewSender(udp.SenderConfig{To: []netip.AddrPort{r.LocalAddr()}, DSCP: 34})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, r
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func TestFramesArriveWhole(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			s, r := link(t, host)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for i, size := range []int{1, 1408, 1409, 120_000, 300_000, 1_000_000} {
				want := randomBytes(size)
				sent := stream.NewFrame(want)
				sent.Captured = time.Now()
				if err := s.Write(ctx, sent); err != nil {
					t.Fatal(err)
				}
				got, err := r.Next(ctx)
				if err != nil {
					t.Fatalf("frame of %d bytes: %v; receiver %+v", size, err, r.Stats())
				}
				if !bytes.Equal(got.JPEG, want) || got.ID != uint32(i) {
					t.Errorf("frame %d of %d bytes came as frame %d of %d bytes", i, size, got.ID, len(got.JPEG))
				}
				if d := got.Captured.Sub(sent.Captured); d.Abs() > time.Millisecond {
					t.Errorf("captured moved by %v", d)
				}
				got.Release()
			}
			if st := r.Stats(); st.Fragments.Complete != 6 || st.Datagrams != st.Control+st.Fragments.Received ||
				st.Fragments.Received != st.Fragments.Used+st.Fragments.Dropped.Sum() {
				t.Errorf("receiver's figures do not balance: %+v", st)
			}
		})
	}
}
