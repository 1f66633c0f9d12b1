package tcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding"
	"encoding/binary"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
	"github.com/framegram/framegram/stream"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// patience is how long a test waits for what must come; nothing is concluded from how
// long it took.
const patience = 20 * time.Second

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// logBuffer is a log that several goroutines write to and the test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func newSender(t testing.TB, cfg SenderConfig) *Sender {
	t.Helper()
	s, err := NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newReceiver(t testing.TB, cfg ReceiverConfig) *Receiver {
	t.Helper()
	r, err := NewReceiver(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func newFrame(jpeg []byte) *stream.Frame {
	f := stream.NewFrame(jpeg)
	f.Captured = time.Now()
	return f
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// flow writes a frame of jpeg every few ms until the test ends or stop is called.
func flow(t testing.TB, s *Sender, jpeg []byte) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if err := s.Write(ctx, newFrame(jpeg)); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	stop = func() { cancel(); done.Wait() }
	t.Cleanup(stop)
	return stop
}

// next is a frame, which must come.
func next(t testing.TB, r *Receiver) *stream.Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("no frame: %v; %+v", err, r.Stats())
	}
	return f
}

// see waits until a frame is jpeg.
func see(t testing.TB, r *Receiver, jpeg []byte) {
	t.Helper()
	await(t, "that sender's frame", func() bool {
		f := next(t, r)
		defer f.Release()
		return bytes.Equal(f.JPEG, jpeg)
	})
}

// wire is the other end of a connection, which says what a test wants it to.
type wire struct {
	testing.TB
	net.Conn
	in  *bufio.Reader
	seq uint64
}

func dialWire(t testing.TB, to netip.AddrPort) *wire {
	t.Helper()
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	return newWire(t, c)
}

func newWire(t testing.TB, c net.Conn) *wire {
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(patience))
	return &wire{TB: t, Conn: c, in: bufio.NewReader(c)}
}

// listenWire accepts connections as wires.
func listenWire(t testing.TB) (at string, accept func() *wire) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() *wire {
		t.Helper()
		l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return newWire(t, c)
	}
}

func (w *wire) common() fragment.Common {
	w.seq++
	return fragment.Common{Session: 7, Sequence: w.seq - 1}
}

func message(m encoding.BinaryAppender) []byte {
	b, err := m.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return append(fragment.AppendLength(nil, len(b)), b...)
}

func (w *wire) send(b []byte) {
	w.Helper()
	if _, err := w.Write(b); err != nil {
		w.Fatal(err)
	}
}

func (w *wire) hello() { w.send(message(&fragment.Hello{Common: w.common(), MaxFrame: 1 << 24})) }

func (w *wire) announce() { w.send(message(&fragment.Announce{Common: w.common(), Name: "test"})) }

// frameMessage is what a sender puts on the wire for a frame.
func (w *wire) frameMessage(id uint32, jpeg []byte) []byte {
	h := fragment.FrameHeader{Common: w.common(), Frame: id, Captured: time.Now().UnixMicro(), CRC: fragment.FrameCRC(jpeg)}
	b, err := h.AppendBinary(fragment.AppendLength(nil, fragment.FrameHeaderLen+len(jpeg)))
	if err != nil {
		w.Fatal(err)
	}
	return append(b, jpeg...)
}

// read is the next message of type want; others are left out.
func (w *wire) read(want fragment.Type) []byte {
	w.Helper()
	for {
		var head [4]byte
		if _, err := io.ReadFull(w.in, head[:]); err != nil {
			w.Fatalf("waiting for %v: %v", want, err)
		}
		b := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(w.in, b); err != nil {
			w.Fatalf("waiting for %v: %v", want, err)
		}
		if c, err := fragment.ParseCommon(b); err != nil {
			w.Fatal(err)
		} else if c.Type == want {
			return b
		}
	}
}

// closed waits until the other side has closed.
func (w *wire) closed() {
	w.Helper()
	if _, err := io.Copy(io.Discard, w.in); err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			w.Fatal("the connection is still open")
		}
	}
}
