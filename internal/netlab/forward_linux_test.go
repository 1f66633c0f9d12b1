package netlab

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTestForwarder delivers to /dev/null, and is nobody's thread.
func newTestForwarder(t *testing.T, link string) *forwarder {
	t.Helper()
	fd, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	p := mustParse(t, link)
	return newForwarder(&tun{fd: fd}, &tun{fd: fd}, fd, 0, &p, time.Now(), new(atomic.Int64))
}

func (f *forwarder) balanced() bool {
	c := f.counts
	return c.Packets+c.Duplicated == c.Delivered+c.Lost+c.TailDropped+c.Failed+uint64(f.waiting.n+f.held.n)
}

// In steady state a packet costs no allocation, whatever happens to it.
func TestPacketsCostNoAllocation(t *testing.T) {
	f := newTestForwarder(t, "rate=10gbit,delay=10us,jitter=10us,loss=5%,burst=2,reorder=5%,duplicate=5%")
	b := make([]byte, 1500)
	step := func() {
		for range 10 {
			f.enter(b, f.now())
		}
		f.release()
		f.publish()
	}
	for limit := time.Now().Add(20 * time.Millisecond); time.Now().Before(limit); { // all the memory that it takes
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n >= 1 {
		t.Errorf("%v allocations for 10 packets", n)
	}
	for f.waiting.n+f.held.n > 0 {
		f.release()
	}
	if c := f.counts; !f.balanced() || c.Lost == 0 || c.Reordered == 0 || c.Duplicated == 0 || c.Delivered == 0 {
		t.Errorf("%+v", c)
	}
}

// A long delay at full speed ends at the memory that is allowed, and is counted.
func TestMemoryIsBounded(t *testing.T) {
	f := newTestForwarder(t, "delay=10s,mtu=65535")
	b := make([]byte, 65535)
	for range 2 * maxMemory / len(b) {
		f.enter(b[:1500], 0)
		f.enter(b, 0)
	}
	used := 0
	for i := range f.waiting.n {
		used += cap(f.waiting.at(i).data)
	}
	if f.counts.Failed == 0 || used > maxMemory || used < maxMemory*9/10 || !f.balanced() {
		t.Errorf("%d bytes are used, %+v", used, f.counts)
	}
	f.start = f.start.Add(-time.Minute)
	f.release()
	if f.waiting.n != 0 || !f.balanced() {
		t.Errorf("%d wait after their time, %+v", f.waiting.n, f.counts)
	}
	failed := f.counts.Failed
	if f.enter(b, f.now()); f.counts.Failed != failed {
		t.Error("there is no memory after all was released")
	}
	f.start = f.start.Add(-time.Minute)
	if f.release(); f.counts.Late == 0 || f.counts.LateMax < time.Minute/2 {
		t.Errorf("a minute too late is not counted: %+v", f.counts)
	}
}

// A packet that need not wait waits all the same for those before it.
func TestNobodyOvertakesWhatIsDue(t *testing.T) {
	f := newTestForwarder(t, "delay=1ms")
	f.enter(make([]byte, 100), 0)
	f.params.Store(&Params{Burst: 1, MTU: 1500, Seed: 1})
	f.enter(make([]byte, 100), time.Second) // both are due, the first is not released yet
	if f.waiting.n != 2 || f.counts.Delivered != 0 {
		t.Errorf("%d wait, %+v", f.waiting.n, f.counts)
	}
	f.start = f.start.Add(-time.Minute)
	f.release()
	f.enter(make([]byte, 100), time.Minute)
	if f.waiting.n != 0 || f.counts.Delivered != 3 {
		t.Errorf("nobody is before it: %d wait, %+v", f.waiting.n, f.counts)
	}
}

// The main thread cannot end, and shows its namespace to all of /proc/self.
func TestThreadsAreNeverTheMainOne(t *testing.T) {
	for range 500 {
		threads := make(chan int)
		onThread(func() { threads <- unix.Gettid() })
		if <-threads == unix.Getpid() {
			t.Fatal("the main thread was taken")
		}
	}
}

// What the kernel says of its own accord, by the first bytes of its packets.
func TestChatter(t *testing.T) {
	packet := func(version byte, at int, value byte) []byte {
		b := make([]byte, 100)
		b[0] = version << 4
		b[at] = value
		return b
	}
	icmp6 := func(kind byte) []byte {
		b := packet(6, 6, 58)
		b[40] = kind
		return b
	}
	mld := packet(6, 6, 0)
	mld[40] = 58
	extension := packet(6, 6, 0)
	extension[40] = 17
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"IGMP": {packet(4, 9, 2), true}, "UDP": {packet(4, 9, 17), false}, "TCP": {packet(4, 9, 6), false}, "ICMP": {packet(4, 9, 1), false},
		"UDP over IPv6": {packet(6, 6, 17), false}, "MLD": {mld, true}, "UDP with hop-by-hop options": {extension, false},
		"too big": {icmp6(2), false}, "echo": {icmp6(128), false}, "router solicitation": {icmp6(133), true}, "neighbour advertisement": {icmp6(136), true},
		"MLDv2 without options": {icmp6(143), true}, "short": {make([]byte, 19), true}, "no IP": {packet(5, 9, 17), true}, "short IPv6": {packet(6, 6, 17)[:47], true},
	} {
		if got := chatter(c.b); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// It counts from the first packet of either direction, and so for both.
func TestSqueezeCountsFromTheFirstPacket(t *testing.T) {
	there := newTestForwarder(t, "rate=8mbit,squeeze=800kbit@1s+1s")
	back := newTestForwarder(t, "rate=8mbit,squeeze=800kbit@1s+1s")
	back.first = there.first
	there.enter(make([]byte, 100), 10*time.Second)
	back.enter(make([]byte, 100), 11500*time.Millisecond)
	there.enter(make([]byte, 100), 11500*time.Millisecond)
	for name, f := range map[string]*forwarder{"there": there, "back": back} {
		if got, want := f.line.free, 11501*time.Millisecond; got != want {
			t.Errorf("%s: the line is free at %v, want %v", name, got, want)
		}
	}
}
