package netlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

func TestBothFamiliesBothWays(t *testing.T) {
	l := openLink(t, "delay=1ms")
	for _, address := range []func(*Host) netip.Addr{(*Host).Addr4, (*Host).Addr6} {
		if !address(l.B()).IsValid() {
			t.Log("this kernel has no IPv6")
			continue
		}
		a, b := udpPair(t, l, address)
		if _, err := a.Write([]byte("there")); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		b.SetReadDeadline(time.Now().Add(time.Minute))
		n, from, err := b.ReadFromUDPAddrPort(buffer)
		if err != nil || string(buffer[:n]) != "there" || from.Addr().Unmap() != address(l.A()) {
			t.Fatalf("got %q from %v, %v", buffer[:n], from, err)
		}
		if _, err := b.WriteToUDPAddrPort([]byte("back"), from); err != nil {
			t.Fatal(err)
		}
		a.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := a.Read(buffer); err != nil || string(buffer[:n]) != "back" {
			t.Fatalf("got %q, %v", buffer[:n], err)
		}
	}
}

// Nothing but what the programs send is counted, so that k is theirs.
func TestOnlyProgramsArePackets(t *testing.T) {
	l := openLink(t, "")
	a, b := udpPair(t, l, (*Host).Addr6)
	// The kernel tells nobody of groups and looks for routers on its own time.
	await(t, "the kernel's own packets", func() bool { return l.Stats().AB.Ignored > 0 })
	a.Write(make([]byte, 52))
	b.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := b.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	await(t, "the counts", func() bool { return l.Stats().AB.Delivered > 0 })
	s := l.Stats()
	if s.AB.Packets != 1 || s.AB.Bytes != 100 || s.AB.Delivered != 1 || s.AB.DeliveredBytes != 100 || s.BA.Packets != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestMTU(t *testing.T) {
	l := openLink(t, "mtu=1420")
	a, b := udpPair(t, l, (*Host).Addr4)
	raw, _ := a.SyscallConn()
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
	for _, mtu := range []int{1420, 1300, 9000} {
		p := mustParse(t, fmt.Sprintf("mtu=%d", mtu))
		if err := l.Set(p); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(make([]byte, mtu-28+1)); !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("one byte over %d: got %v, want EMSGSIZE", mtu, err)
		}
		if _, err := a.Write(make([]byte, mtu-28)); err != nil {
			t.Errorf("exactly %d: %v", mtu, err)
		}
		b.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := b.Read(make([]byte, 65536)); n != mtu-28 {
			t.Errorf("got %d bytes, %v, want %d", n, err, mtu-28)
		}
	}
}

func TestLinkDiesAndComesBack(t *testing.T) {
	l := openLink(t, "")
	a, b := udpPair(t, l, (*Host).Addr4)
	say := func(word string) {
		t.Helper()
		before := l.Stats().AB.Packets
		if _, err := a.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
		await(t, "the packet", func() bool { return l.Stats().AB.Packets > before })
	}
	say("one")
	if err := l.Set(mustParse(t, "loss=100%")); err != nil {
		t.Fatal(err)
	}
	say("two")
	say("three")
	if err := l.Set(Params{}); err != nil {
		t.Fatal(err)
	}
	say("four")
	b.SetReadDeadline(time.Now().Add(time.Minute))
	for _, want := range []string{"one", "four"} {
		buffer := make([]byte, 100)
		if n, err := b.Read(buffer); err != nil || string(buffer[:n]) != want {
			t.Errorf("got %q, %v, want %q", buffer[:n], err, want)
		}
	}
	if c := l.Stats().AB; c.Lost != 2 || c.Packets != 4 {
		t.Errorf("got %+v, want 2 of 4 lost", c)
	}
	if err := l.Set(Params{Loss: 2}); err == nil || !strings.Contains(err.Error(), "loss is 200%") {
		t.Errorf("a loss of 200 %%: got %v", err)
	}
	if _, err := Open(t.Context(), Params{MTU: 5}); err == nil || !strings.Contains(err.Error(), "mtu is 5") {
		t.Errorf("an MTU of 5: got %v", err)
	}
}

// A program started on a host sees that host's devices and addresses, and its peer.
func TestStart(t *testing.T) {
	l := openLink(t, "")
	for i, h := range []*Host{l.A(), l.B()} {
		var out bytes.Buffer
		cmd := exec.Command("cat", "/proc/net/dev", "/proc/net/fib_trie")
		cmd.Stdout = &out
		if err := h.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if own := fmt.Sprintf("10.79.0.%d", i+1); !strings.Contains(out.String(), h.Interface()+":") || !strings.Contains(out.String(), own) || strings.Contains(out.String(), fmt.Sprintf("10.79.0.%d", 2-i)) {
			t.Errorf("host %d is at %s and has\n%s", i, own, out.String())
		}
	}
	if err := l.A().Start(exec.Command("/no/such/program")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: got %v", err)
	}
}

// The thread of Do is back home afterwards, also when f fails or ends its goroutine.
func TestDoComesBack(t *testing.T) {
	l := openLink(t, "")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	namespace := func() string {
		name, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	home, wrong := namespace(), errors.New("wrong")
	var a, b string
	if err := l.A().Do(func() error {
		a = namespace()
		return l.B().Do(func() error { // from one into the other, and back
			b = namespace()
			return wrong
		})
	}); err != wrong {
		t.Errorf("got %v", err)
	}
	if a == home || b == home || a == b || namespace() != home {
		t.Errorf("home %s, a %s, b %s, back in %s", home, a, b, namespace())
	}
	func() {
		defer func() { recover() }()
		l.A().Do(func() error { panic("in f") })
	}()
	if namespace() != home {
		t.Error("a panic stays inside")
	}
}

// Links know nothing of each other: all have the same addresses.
func TestLinksAreApart(t *testing.T) {
	first, second := openLink(t, ""), openLink(t, "")
	flood(t, first, 100, 100)
	if c := second.Stats().AB; c.Packets != 0 {
		t.Errorf("the second link carried the first one's packets: %+v", c)
	}
	flood(t, second, 50, 100)
	if c := first.Stats().AB; c.Packets != 100 {
		t.Errorf("the first link carried %d", c.Packets)
	}
}

// Several links may be opened, used and closed at the same time.
func TestLinksOpenTogether(t *testing.T) {
	openLink(t, "") // skips where there can be none
	const links, packets = 8, 50
	done := make(chan error, links)
	for range links {
		go func() {
			done <- func() error {
				l, err := Open(t.Context(), Params{Delay: time.Millisecond})
				if err != nil {
					return err
				}
				defer l.Close()
				return exchange(l, packets)
			}()
		}()
	}
	for range links {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// exchange sends n datagrams from A to B, each after the one before has arrived.
func exchange(l *Link, n int) error {
	var a, b *net.UDPConn
	err := l.B().Do(func() (err error) {
		b, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.B().Addr4(), 0)))
		return err
	})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := l.A().Do(func() (err error) {
		a, err = net.DialUDP("udp", nil, b.LocalAddr().(*net.UDPAddr))
		return err
	}); err != nil {
		return err
	}
	defer a.Close()
	b.SetReadDeadline(time.Now().Add(time.Minute))
	for range n {
		if _, err := a.Write([]byte("one")); err != nil {
			return err
		}
		if _, err := b.Read(make([]byte, 100)); err != nil {
			return err
		}
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // the counts come after the packets
		c := l.Stats().AB
		if c.Packets == uint64(n) {
			return nil
		}
		if c.Packets > uint64(n) || time.Now().After(limit) {
			return fmt.Errorf("%d packets were carried, want %d", c.Packets, n)
		}
	}
}

// What is sent to a group on one host is heard by a socket on the other that has joined it, and
// answers come back.
func TestMulticast(t *testing.T) {
	l := openLink(t, "delay=1ms")
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 77, 1), Port: 5600}
	var a, b *net.UDPConn
	if err := l.B().Do(func() error {
		ifi, err := net.InterfaceByName(l.B().Interface())
		if err == nil {
			b, err = net.ListenMulticastUDP("udp4", ifi, group)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := l.A().Do(func() error {
		ifi, err := net.InterfaceByName(l.A().Interface())
		if err != nil {
			return err
		}
		if a, err = net.ListenUDP("udp4", &net.UDPAddr{IP: l.A().Addr4().AsSlice()}); err != nil {
			return err
		}
		return ipv4.NewPacketConn(a).SetMulticastInterface(ifi) // for there is no route
	}); err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.WriteToUDP([]byte("all"), group); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	b.SetReadDeadline(time.Now().Add(time.Minute))
	n, from, err := b.ReadFromUDPAddrPort(buffer)
	if err != nil || string(buffer[:n]) != "all" || from.Addr().Unmap() != l.A().Addr4() {
		t.Fatalf("got %q from %v, %v", buffer[:n], from, err)
	}
	if _, err := b.WriteToUDPAddrPort([]byte("back"), from); err != nil {
		t.Fatal(err)
	}
	a.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := a.Read(buffer); err != nil || string(buffer[:n]) != "back" {
		t.Fatalf("got %q, %v", buffer[:n], err)
	}
}

// holders lists who in /proc keeps one of the namespaces: threads, descriptors, mounts.
func holders(t *testing.T, namespaces []string) (found []string) {
	t.Helper()
	var links []string
	for _, pattern := range []string{"/proc/[0-9]*/task/*/ns/net", "/proc/[0-9]*/fd/*"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, more...)
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && slices.Contains(namespaces, to) {
			found = append(found, link)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range namespaces {
		if strings.Contains(string(mounts), " "+name+" ") {
			found = append(found, "mount "+name)
		}
	}
	return found
}

func namespacesOf(t *testing.T, l *Link) (names []string) {
	t.Helper()
	for _, h := range []*Host{l.A(), l.B()} {
		if err := h.Do(func() error {
			name, err := os.Readlink("/proc/thread-self/ns/net")
			names = append(names, name)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Close, or the end of the context, leaves no thread, descriptor or process, and ends
// what was started.
func TestCloseLeavesNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would close forgotten files
	openLink(t, "").Close()                          // what the runtime opens once is open now
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	for range 4 {
		for _, end := range []string{"Close", "context"} {
			ctx, cancel := context.WithCancel(t.Context())
			l, err := Open(ctx, mustParse(t, "delay=1s"))
			if err != nil {
				t.Fatal(err)
			}
			names := namespacesOf(t, l)
			if len(holders(t, names)) == 0 {
				t.Fatal("nobody holds the namespaces of an open link")
			}
			cmd := exec.Command("sleep", "1000")
			if err := l.B().Start(cmd); err != nil {
				t.Fatal(err)
			}
			var a *net.UDPConn
			if err := l.A().Do(func() (err error) {
				a, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: l.B().Addr4().AsSlice(), Port: 9})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			a.Write([]byte("on the way when it ends"))
			a.Close()
			if end == "Close" {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			} else {
				cancel()
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Errorf("the program on the host ended with %v, want it killed", err)
			}
			if err := l.Close(); err != nil {
				t.Errorf("closed again: %v", err)
			}
			await(t, "the namespaces' end", func() bool { return len(holders(t, names)) == 0 })
			l.Stats()
			for name, err := range map[string]error{"Do": l.A().Do(func() error { return nil }), "Start": l.A().Start(exec.Command("true")), "Set": l.Set(Params{})} {
				if !errors.Is(err, os.ErrClosed) {
					t.Errorf("%s on a closed link: got %v", name, err)
				}
			}
			cancel()
		}
	}
	await(t, "the goroutines' end", func() bool { return runtime.NumGoroutine() <= goroutines })
	await(t, "the descriptors' end", func() bool { return descriptors(t) <= open })
}
