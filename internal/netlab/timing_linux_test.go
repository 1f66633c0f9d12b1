package netlab

import (
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// timestamp makes the kernel note when each datagram came in, so that how late this
// process wakes up does not count.
func timestamp(t *testing.T, c *net.UDPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	if err != nil {
		t.Fatal(err)
	}
}

// receive returns when the next datagram came in.
func receive(t *testing.T, c *net.UDPConn) time.Time {
	t.Helper()
	buffer, oob := make([]byte, 65536), make([]byte, 128)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, n, _, _, err := c.ReadMsgUDP(buffer, oob)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 || len(messages[0].Data) < int(unsafe.Sizeof(unix.Timespec{})) {
		t.Fatal("no timestamp:", err)
	}
	at := (*unix.Timespec)(unsafe.Pointer(&messages[0].Data[0]))
	return time.Unix(at.Unix())
}

// early is how much too early a packet may seem: the clock may be slewed meanwhile.
const early = 50 * time.Microsecond

// delays sends n packets one by one and returns how long each took. It includes how
// late this process was.
func delays(t *testing.T, l *Link, n int) []time.Duration {
	t.Helper()
	a, b := udpPair(t, l, (*Host).Addr4)
	timestamp(t, b)
	all := make([]time.Duration, n)
	for i := range all {
		sent := time.Now()
		if _, err := a.Write(make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		all[i] = receive(t, b).Sub(sent)
	}
	return all
}

// quantile sorts.
func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

// No packet is early, and under light load half of them are within 0.3 ms of the delay
// that is asked.
func TestDelay(t *testing.T) {
	for link, want := range map[string]time.Duration{
		"": 0, "delay=200us": 200 * time.Microsecond, "delay=5ms": 5 * time.Millisecond, "delay=20ms,rate=100mbit": 20*time.Millisecond + 228*8*10*time.Nanosecond,
	} {
		t.Run(link, func(t *testing.T) {
			undisturbed(t, func() (time.Duration, error) {
				l := openLink(t, link)
				late := delays(t, l, 30)
				for i := range late {
					late[i] -= want
				}
				p50 := quantile(late, 0.5)
				if late[0] < -early {
					t.Errorf("a packet is %v too early", -late[0])
				}
				if p50 > 300*time.Microsecond {
					return l.Stats().AB.LateMax, fmt.Errorf("half are late by %v, want 0..300µs", p50)
				}
				return 0, nil
			})
		})
	}
}

// Packets that are far apart have the jitter that the seed says, each its own.
func TestJitter(t *testing.T) {
	const link, delay, jitter = "delay=10ms,jitter=5ms", 10 * time.Millisecond, 5 * time.Millisecond
	undisturbed(t, func() (time.Duration, error) {
		l := openLink(t, link)
		all := delays(t, l, 50) // one at a time, so none waits for another
		fates := draw(mustParse(t, link), 0, len(all))
		late := make([]time.Duration, len(all))
		for i, d := range all {
			if late[i] = d - delay - time.Duration(fates[i].jitter*float64(jitter)); late[i] < -early {
				t.Errorf("packet %d is %v too early", i, -late[i])
			}
		}
		if p50 := quantile(late, 0.5); p50 > 300*time.Microsecond {
			return l.Stats().AB.LateMax, fmt.Errorf("half are late by %v, want 0..300µs", p50)
		}
		return 0, nil
	})
}

// A full line releases each packet when those before it and itself
// have had their time on it: never before that, and on a quiet machine not much later.
// All arrive.
func TestRate(t *testing.T) {
	const size = 1500
	for link, count := range map[string]int{"rate=1mbit": 20, "rate=10mbit": 150, "rate=100mbit": 1500, "rate=400mbit": 3000} {
		t.Run(link, func(t *testing.T) {
			p := mustParse(t, "queue=100MB,"+link)
			undisturbed(t, func() (time.Duration, error) {
				l := openLink(t, p.String())
				a, b := udpPair(t, l, (*Host).Addr4)
				timestamp(t, b)
				// The emulator took each packet between these two moments.
				before, after := make([]time.Time, count), make([]time.Time, count)
				written := make(chan struct{})
				go func() {
					defer close(written)
					for i := range count {
						before[i] = time.Now()
						a.Write(make([]byte, size-28))
						after[i] = time.Now()
					}
				}()
				arrived := make([]time.Time, count)
				for i := range arrived {
					arrived[i] = receive(t, b)
				}
				<-written
				due := func(sent []time.Time) (all []time.Time) {
					var line line
					for _, at := range sent {
						left, _, _ := line.enter(&p, at.Sub(sent[0]), size)
						all = append(all, sent[0].Add(left))
					}
					return all
				}
				earliest, latest := due(before), due(after)
				var late time.Duration
				for i, at := range arrived {
					if d := earliest[i].Sub(at); d > early {
						t.Fatalf("packet %d is %v too early", i, d)
					}
					late = max(late, at.Sub(latest[i]))
				}
				took := arrived[count-1].Sub(arrived[0])
				t.Logf("%.3f Mbit/s, late by %v", float64((count-1)*size*8)/took.Seconds()/1e6, late)
				// At 400 Mbit/s the forwarder itself needs most of a processor where races are looked for.
				if end := arrived[count-1].Sub(latest[count-1]); end > 500*time.Microsecond && p.Rate < 400e6 {
					return l.Stats().AB.LateMax, fmt.Errorf("the last packet is %v late, want 0..500µs; the latest %v", end, late)
				}
				return 0, nil
			})
		})
	}
}
