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

// undisturbed runs a measurement up to three times until it holds: another program on
// the machine may spoil one, and a fault of ours would spoil all.
func undisturbed(t *testing.T, measure func() error) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		err := measure()
		if err == nil {
			return
		}
		if attempt == 3 {
			t.Fatal(err)
		}
		t.Logf("attempt %d: %v", attempt, err)
	}
}

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

// delays sends n packets one by one, with a pause between them, and returns how long
// each took, without its time on the line.
func delays(t *testing.T, l *Link, n int, pause time.Duration) []time.Duration {
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
		time.Sleep(pause)
	}
	return all
}

// quantile sorts.
func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

// Under light load half of the packets are within 0.3 ms of the delay that is asked,
// and none is early.
func TestDelay(t *testing.T) {
	for link, want := range map[string]time.Duration{
		"": 0, "delay=200us": 200 * time.Microsecond, "delay=5ms": 5 * time.Millisecond, "delay=20ms,rate=100mbit": 20*time.Millisecond + 228*8*10*time.Nanosecond,
	} {
		t.Run(link, func(t *testing.T) {
			undisturbed(t, func() error {
				errors := delays(t, openLink(t, link), 100, time.Millisecond)
				for i := range errors {
					errors[i] -= want
				}
				p50, p99 := quantile(errors, 0.5), quantile(errors, 0.99)
				t.Logf("late by %v (p50), %v (p99)", p50, p99)
				if p50 > 300*time.Microsecond || errors[0] < -50*time.Microsecond { // the clock may be slewed
					return fmt.Errorf("late by %v (p50), the first by %v, want 0..300µs", p50, errors[0])
				}
				return nil
			})
		})
	}
}

// Packets that are far apart have the jitter that the seed says, and none is outside
// its bounds.
func TestJitter(t *testing.T) {
	const link, delay, jitter = "delay=10ms,jitter=5ms", 10 * time.Millisecond, 5 * time.Millisecond
	undisturbed(t, func() error {
		all := delays(t, openLink(t, link), 100, 0) // one at a time, so none waits for another
		fates := draw(mustParse(t, link), 0, len(all))
		var errors []time.Duration
		for i, d := range all {
			errors = append(errors, d-delay-time.Duration(fates[i].jitter*float64(jitter)))
		}
		late := quantile(errors, 0.5)
		low, high := quantile(all, 0), quantile(all, 0.95)
		t.Logf("%v..%v (p95), late by %v (p50)", low, high, late)
		if late > 300*time.Microsecond || low < delay-jitter-50*time.Microsecond || low > delay-jitter*8/10 || high > delay+jitter+300*time.Microsecond || high < delay+jitter/2 {
			return fmt.Errorf("%v..%v (p95), late by %v (p50), want 10 ms ± 5 ms", low, high, late)
		}
		return nil
	})
}

// A full line carries what it should to 3 %, by the kernel's time of each arrival.
func TestRate(t *testing.T) {
	for _, c := range []struct {
		rate  string
		bit   float64
		count int
	}{{"1mbit", 1e6, 40}, {"10mbit", 10e6, 300}, {"100mbit", 100e6, 3000}, {"400mbit", 400e6, txQueue - 100}} {
		t.Run(c.rate, func(t *testing.T) {
			undisturbed(t, func() error {
				l := openLink(t, "queue=100MB,rate="+c.rate)
				a, b := udpPair(t, l, (*Host).Addr4)
				timestamp(t, b)
				go func() {
					for range c.count {
						a.Write(make([]byte, 1472))
					}
				}()
				first := receive(t, b)
				last := first
				for range c.count - 1 {
					last = receive(t, b)
				}
				rate := float64((c.count-1)*1500*8) / last.Sub(first).Seconds()
				t.Logf("%.3f Mbit/s", rate/1e6)
				if rate < 0.97*c.bit || rate > 1.03*c.bit {
					return fmt.Errorf("%.3f Mbit/s, want %s ± 3 %%", rate/1e6, c.rate)
				}
				return nil
			})
		})
	}
}
