//go:build linux

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// tap stands between a sender and a viewer: it passes everything on and keeps the
// newest datagrams, so that what it forges is as good as it gets without being on
// the viewer's own machine.
type tap struct {
	conn   *net.UDPConn // the sender sends here; the viewer hears from here
	viewer netip.AddrPort

	mu   sync.Mutex
	kept [][]byte // a ring
	next int
}

// keep is how many datagrams a tap keeps: about half a second of them.
const keep = 1024

func newTap(t *testing.T, viewer string) *tap {
	t.Helper()
	c := &tap{viewer: netip.MustParseAddrPort(viewer)}
	var err error
	if c.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	// The tap must not lose what the viewer is then blamed for.
	if raw, err := c.conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20) })
	}
	done := make(chan struct{})
	go func() { defer close(done); c.pass() }()
	t.Cleanup(func() { c.conn.Close(); <-done })
	return c
}

func (c *tap) pass() {
	b := make([]byte, 1<<16)
	for {
		n, _, err := c.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			continue
		}
		c.conn.WriteToUDPAddrPort(b[:n], c.viewer)
		c.mu.Lock()
		if len(c.kept) < keep {
			c.kept = append(c.kept, nil)
		}
		c.kept[c.next%keep] = append(c.kept[c.next%keep][:0], b[:n]...)
		c.next++
		c.mu.Unlock()
	}
}

// recent appends a copy of one of the kept datagrams to b.
func (c *tap) recent(b []byte, random *rand.Rand) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) == 0 {
		return b
	}
	return append(b, c.kept[random.IntN(len(c.kept))]...)
}

// forge makes hostile datagram i, of five kinds, and says whether it may come from
// the sender's own address. It may not where the sender's own address would make it
// true: who can change a sender's datagrams on their way can damage its picture, and
// only sealing will help against that.
func (c *tap) forge(b []byte, i int, random *rand.Rand) (datagram []byte, own bool) {
	switch i % 5 {
	case 0: // a replay
		return c.recent(b, random), i%2 == 0
	case 1: // bits flipped anywhere
		b = c.recent(b, random)
		for range 1 + random.IntN(8) {
			if bit := random.IntN(8*len(b) + 1); bit < 8*len(b) {
				b[bit/8] ^= 1 << (bit % 8)
			}
		}
		return b, false
	case 2: // bits flipped in the header, so that it may stay well-formed
		b = c.recent(b, random)
		for range 1 + random.IntN(3) {
			if bit := random.IntN(8 * 48); bit < 8*len(b) {
				b[bit/8] ^= 1 << (bit % 8)
			}
		}
		return b, false
	case 3: // a session of its own, ahead of the stream
		b = c.recent(b, random)
		if len(b) >= 48 {
			binary.BigEndian.PutUint64(b[4:], random.Uint64())
			binary.BigEndian.PutUint32(b[20:], binary.BigEndian.Uint32(b[20:])+random.Uint32N(100))
		}
		return b, false
	default: // noise, of which some begins like ours
		b = b[:random.IntN(1472)]
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		if i%2 == 0 && len(b) > 3 {
			copy(b, "FG\x11")
		}
		return b, i%4 == 0
	}
}

// One million mutated, replayed and random datagrams do not crash a viewer, do not
// grow it, do not take its picture over and do not cost the stream frames.
func TestHostileDatagrams(t *testing.T) {
	total := 500_000
	if testutil.Long() {
		total *= 20
	}
	viewer := view(t, "--display", "none", "--timecode") // every picture is decoded and read
	middle := newTap(t, viewer.listening())
	sender := send(t, middle.conn.LocalAddr().String(), "--size", "640x360", "--fps", "30")
	viewer.await("steady stream", shown(30))

	var strangers []*net.UDPConn
	for range 8 {
		conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(middle.viewer))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		strangers = append(strangers, conn)
	}
	sent, before, memory := sender.latest().Send.Frames.Sent, viewer.latest().View, resident(t, viewer)
	room := before.UDP.ReadBuffer / 8
	random := rand.New(rand.NewPCG(1, 2))
	began, scratch := time.Now(), make([]byte, 0, 1<<16)
	for i := range total {
		datagram, own := middle.forge(scratch[:0:cap(scratch)], i, random)
		if own {
			middle.conn.WriteToUDPAddrPort(datagram, middle.viewer)
		} else {
			strangers[random.IntN(len(strangers))].Write(datagram)
		}
		// As fast as the viewer reads: what is tested is the viewer, not how much its
		// machine's kernel keeps for it while other programs run.
		for i%64 == 63 && unread(t, middle.viewer.Port()) > room {
			time.Sleep(200 * time.Microsecond)
		}
		if i == total/10 {
			memory = resident(t, viewer) // everything was tried once by now
		}
	}
	took := time.Since(began)
	sent = sender.latest().Send.Frames.Sent - sent
	after := viewer.await("frames after the flood", shown(viewer.latest().View.Frames.Shown+10)).View
	grown := int(resident(t, viewer)) - int(memory)

	shown, lost := after.Frames.Shown-before.Frames.Shown, after.Frames.Lost-before.Frames.Lost
	heard := after.UDP.Datagrams - before.UDP.Datagrams
	t.Logf("%d datagrams in %v, %d heard, %d dropped by the kernel: %d frames sent, %d shown, %d lost, memory %d kB and %+d kB; dropped %v",
		total, took.Round(time.Millisecond), heard, after.UDP.KernelDrops-before.UDP.KernelDrops, sent, shown, lost, memory>>10, grown>>10,
		after.UDP.Fragments.Dropped)
	if heard < uint64(total)*9/10 {
		t.Errorf("the viewer heard %d datagrams only, so the test says little", heard)
	}
	if float64(shown) < 0.95*float64(sent) {
		t.Errorf("%d of %d frames shown during the flood", shown, sent)
	}
	if float64(lost) > 0.01*float64(shown+lost) {
		t.Errorf("%d of %d frames lost, want under 1 %%", lost, shown+lost)
	}
	if n := after.UDP.Fragments.Takeovers; n != 0 {
		t.Errorf("%d takeovers", n)
	}
	if from := middle.conn.LocalAddr().String(); after.UDP.From != from {
		t.Errorf("the viewer follows %s, the sender is %s", after.UDP.From, from)
	}
	if c := after.Timecode; c.Frames == 0 || c.Unreadable+c.Implausible+c.Undecodable > 0 {
		t.Errorf("not every picture shown is the sender's: %+v", c)
	}
	if grown > 8<<20 {
		t.Errorf("the viewer grew by %d kB", grown>>10)
	}
}

// unread is what a UDP socket of this machine has received and nobody has read yet,
// in bytes as the kernel counts them (proc(5), /proc/net/udp, rx_queue).
func unread(t *testing.T, port uint16) int {
	t.Helper()
	// The table is read in pieces: a socket that is closed meanwhile can hide another.
	for range 10 {
		for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
			table, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n, ok := queued(string(table), port); ok {
				return n
			}
		}
	}
	t.Fatalf("no socket on port %d", port)
	return 0
}

// queued finds port in a table whose lines are "sl local_address rem_address st
// tx_queue:rx_queue ...", in hexadecimal.
func queued(table string, port uint16) (n int, ok bool) {
	local := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 5 || !strings.HasSuffix(fields[1], local) {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		n, err := strconv.ParseInt(queue, 16, 64)
		return int(n), err == nil
	}
	return 0, false
}

// resident is how much memory of a process is in RAM, in bytes.
func resident(t *testing.T, p *program) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kB, err := strconv.ParseUint(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}
