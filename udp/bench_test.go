package udp_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp/batch"
)

// All of these but the last move the same frames over 127.0.0.1, from one goroutine to
// another, with as many in flight: UDP does not slow a sender down, and what overflows is
// lost. Their figures may be compared within one run.

const (
	benchShard  = 1408 // of an MTU of 1500
	benchFlight = 8    // frames on their way at most
	benchBuffer = 8 << 20
	// benchPatience is how long a frame may take before it counts as lost.
	benchPatience = 10 * time.Second
)

// BenchmarkLoopback is the engine: Splitter, Writer, Reader, Reassembler, CRC at both ends.
func BenchmarkLoopback(b *testing.B) { benchFrames(b, batch.Config{}, false) }

// BenchmarkParity is the same with a tenth of parity, which nothing needs.
func BenchmarkParity(b *testing.B) { benchParity(b, batch.Config{}, false, 0.1) }

// BenchmarkLeastParity is the same with the least parity that there is, two fragments of each block.
func BenchmarkLeastParity(b *testing.B) { benchParity(b, batch.Config{}, false, 0.001) }

// BenchmarkNoOffload is the same without trains.
func BenchmarkNoOffload(b *testing.B) { benchFrames(b, batch.Config{NoOffload: true}, false) }

// BenchmarkSingle is the same with a call for each datagram at both ends.
func BenchmarkSingle(b *testing.B) { benchFrames(b, batch.Config{}, true) }

func benchFrames(b *testing.B, cfg batch.Config, single bool) { benchParity(b, cfg, single, 0) }

func benchParity(b *testing.B, cfg batch.Config, single bool, parity float64) {
	for _, size := range []int{120_000, 300_000} {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			out, in := benchSockets(b)
			cut, err := fragment.NewSplitter(benchShard)
			if err != nil {
				b.Fatal(err)
			}
			cut.SetParity(fragment.ParityShare(parity))
			frames, err := fragment.NewReassembler(fragment.Config{})
			if err != nil {
				b.Fatal(err)
			}
			send, receive := writer(out, cfg), reader(in, cfg)
			if single {
				send, receive = singleWriter(out), singleReader(in)
			}
			jpeg := randomBytes(size)
			seq, id := uint64(0), uint32(0)
			flight(b, size, in, func() error {
				datagrams, err := cut.Split(id, 1, jpeg)
				if err != nil {
					return err
				}
				id++
				cut.Stamp(0, len(datagrams), 1, seq)
				seq += uint64(len(datagrams))
				return send(datagrams)
			}, func() (done int, err error) {
				ps, err := receive()
				now := time.Now()
				for i := range ps {
					if f := frames.Push(now, ps[i].From, ps[i].B); f != nil {
						done++
						f.Release()
					}
				}
				return done, err
			})
			c := frames.Counters()
			b.ReportMetric(float64(uint64(id)-c.Complete), "frames-lost")
			b.ReportMetric(float64(c.Dropped.Sum()-c.Dropped.Surplus), "dropped")
		})
	}
}

// BenchmarkFrameByFrame is the time of one frame that nothing overlaps with, from the
// Sender's Write to the Receiver's Next.
func BenchmarkFrameByFrame(b *testing.B) {
	for _, size := range []int{120_000, 300_000} {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			s, r := link(b, "127.0.0.1")
			f := stream.NewFrame(randomBytes(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(b.Context(), f); err != nil {
					b.Fatal(err)
				}
				got, err := r.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				got.Release()
			}
			b.ReportMetric(float64(r.Stats().Fragments.Lost), "frames-lost")
		})
	}
}

// flight sends b.N frames, benchFlight of which may be on their way, until receive has
// said that all are complete.
func flight(b *testing.B, size int, in *net.UDPConn, send func() error, receive func() (int, error)) {
	room, failed := make(chan struct{}, benchFlight), make(chan error, 1)
	for range benchFlight {
		room <- struct{}{}
	}
	go func() {
		for {
			in.SetReadDeadline(time.Now().Add(benchPatience))
			for range 1000 {
				n, err := receive()
				if err != nil {
					failed <- err
					return
				}
				for range n {
					room <- struct{}{}
				}
			}
		}
	}()
	step := func() {
		select {
		case <-room:
		case err := <-failed:
			b.Fatalf("a frame did not come: %v", err)
		}
		if err := send(); err != nil {
			b.Fatal(err)
		}
	}
	for range 20 { // buffers grow
		step()
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	for range benchFlight { // the last ones
		select {
		case <-room:
		case err := <-failed:
			b.Fatalf("a frame did not come: %v", err)
		}
	}
	in.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		b.Fatal(err)
	}
}

// benchSockets are two connected to each other, the second with a large receive buffer.
func benchSockets(b *testing.B) (out, in *net.UDPConn) {
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close() })
	grow(b, in, benchBuffer)
	out, err = net.DialUDP("udp4", nil, in.LocalAddr().(*net.UDPAddr))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { out.Close() })
	return out, in
}

func writer(c *net.UDPConn, cfg batch.Config) func([]fragment.Datagram) error {
	w := batch.NewWriter(c, cfg)
	return func(ds []fragment.Datagram) error {
		for {
			n, err := w.Write(ds, netip.AddrPort{})
			if ds = ds[n:]; !errors.Is(err, syscall.EAGAIN) {
				return err
			}
			if err := w.WaitRoom(time.Now().Add(benchPatience)); err != nil {
				return err
			}
		}
	}
}

func reader(c *net.UDPConn, cfg batch.Config) func() ([]batch.Packet, error) {
	return batch.NewReader(c, cfg).Read
}

func singleWriter(c *net.UDPConn) func([]fragment.Datagram) error {
	whole := make([]byte, 0, 1500)
	return func(ds []fragment.Datagram) error {
		for _, d := range ds {
			whole = append(append(whole[:0], d.Header...), d.Payload...)
			if _, err := c.Write(whole); err != nil {
				return err
			}
		}
		return nil
	}
}

func singleReader(c *net.UDPConn) func() ([]batch.Packet, error) {
	buf, ps := make([]byte, 1500), make([]batch.Packet, 1)
	return func() ([]batch.Packet, error) {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return nil, err
		}
		ps[0] = batch.Packet{B: buf[:n], From: from}
		return ps, nil
	}
}
