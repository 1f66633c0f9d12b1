package tcp

import (
	"bufio"
	"crypto/rand"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/fragment"
)

const (
	// silence is how long a peer may send nothing: three of its pings or announcements.
	silence = 3 * time.Second
	// stall is how long a peer may take nothing of what is sent to it.
	stall = 5 * time.Second
	// grace is what the end of a Sender or Receiver leaves for a last message and what
	// is before it.
	grace = 200 * time.Millisecond
	// maxPings is how many a peer may send in a second: a viewer sends one, or four at
	// its start, and a thousand cost us next to nothing.
	maxPings = 1000
	// inBuffer holds the longest message but a frame; what is read of a frame beyond it
	// goes straight to its place.
	inBuffer = 2048
)

var errFlood = fmt.Errorf("tcp: it sent more than %d pings in a second", maxPings)

var errStalled = fmt.Errorf("tcp: it took nothing for %v", stall)

// peer is one connection: messages in, read by one goroutine, and messages out, written
// by another.
type peer struct {
	conn *net.TCPConn
	addr netip.AddrPort
	in   *bufio.Reader
	read *atomic.Uint64 // bytes, of all peers

	session, sequence uint64 // of what is sent
	out               []byte // a control message, with its length
	written           atomic.Uint64

	mu    sync.Mutex // guards the deadlines against end
	by    time.Time  // when reading must have ended; zero while there is no end
	ended bool
}

func newPeer(conn *net.TCPConn, read *atomic.Uint64) *peer {
	p := &peer{conn: conn, addr: addrOf(conn.RemoteAddr()), read: read, session: newSession()}
	p.in = bufio.NewReaderSize(reader{p}, inBuffer)
	return p
}

// addrOf turns ::ffff:1.2.3.4, as a dual-stack socket reports IPv4 peers, into 1.2.3.4.
func addrOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := t.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func newSession() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:])
}

// reader reads from the connection for as long as something comes.
type reader struct{ p *peer }

func (r reader) Read(b []byte) (int, error) {
	p := r.p
	p.mu.Lock()
	by := time.Now().Add(silence)
	if !p.by.IsZero() && p.by.Before(by) {
		by = p.by
	}
	p.conn.SetReadDeadline(by)
	p.mu.Unlock()
	n, err := p.conn.Read(b)
	p.read.Add(uint64(n))
	return n, err
}

// limit has reading fail at by, whatever comes; zero lifts that again.
func (p *peer) limit(by time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.by = by
	}
}

// end leaves everything that is going on for grace, and no longer.
func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended, p.by = true, time.Now().Add(grace)
		p.conn.SetDeadline(p.by)
	}
}

// message waits for the next one and returns its type and its length. What it is made of
// is read by control, by frame and the like, or left out by skip; b is its common bytes.
func (p *peer) message(maxFrame int) (c fragment.Common, n int, err error) {
	b, err := p.in.Peek(fragment.LengthLen + fragment.CommonLen)
	if err != nil {
		return c, 0, err
	}
	if c, n, err = fragment.ParseMessage(b, maxFrame); err != nil {
		return c, n, fmt.Errorf("%w: a message of %d bytes begins with % x", err, n, b)
	}
	return c, n, nil
}

// control returns a message of n bytes, of any type but frame. It is valid until the
// next one is read.
func (p *peer) control(n int) ([]byte, error) {
	b, err := p.in.Peek(fragment.LengthLen + n)
	if err != nil {
		return nil, err
	}
	p.in.Discard(len(b)) // what was peeked can be discarded
	return b[fragment.LengthLen:], nil
}

// skip leaves out a message of n bytes.
func (p *peer) skip(n int) error {
	_, err := p.in.Discard(fragment.LengthLen + n)
	return err
}

// common begins a message that is sent.
func (p *peer) common() fragment.Common {
	c := fragment.Common{Session: p.session, Sequence: p.sequence}
	p.sequence++
	return c
}

// send sends a control message, made with common.
func (p *peer) send(m encoding.BinaryAppender) error {
	b, err := m.AppendBinary(append(p.out[:0], 0, 0, 0, 0))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-fragment.LengthLen))
	p.out = b
	return p.write(&net.Buffers{b})
}

// write sends all of bufs, which it uses up. As long as some of it goes out every now and
// then, it goes on.
func (p *peer) write(bufs *net.Buffers) error {
	for {
		p.mu.Lock()
		if !p.ended {
			p.conn.SetWriteDeadline(time.Now().Add(stall))
		}
		p.mu.Unlock()
		n, err := bufs.WriteTo(p.conn)
		p.written.Add(uint64(n))
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case n == 0 || p.hasEnded():
			return errStalled
		}
	}
}

func (p *peer) hasEnded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// farewell says bye and nothing more. The other side closes when it has read that.
func (p *peer) farewell() {
	p.end()
	if p.send(&fragment.Bye{Common: p.common(), Reason: fragment.ByeLeaving}) == nil {
		p.conn.CloseWrite()
	}
}
