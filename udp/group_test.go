package udp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fakeJoiner notes what is asked of it, and answers with prepared errors by index.
type fakeJoiner struct {
	calls []string
	errs  map[int]error
}

func (f *fakeJoiner) note(what string, ifi *net.Interface, addrs ...net.Addr) error {
	for _, a := range addrs {
		what += " " + a.(*net.UDPAddr).IP.String()
	}
	f.calls = append(f.calls, fmt.Sprintf("%s on %d", what, ifi.Index))
	return f.errs[ifi.Index]
}

func (f *fakeJoiner) JoinGroup(ifi *net.Interface, g net.Addr) error  { return f.note("join", ifi, g) }
func (f *fakeJoiner) LeaveGroup(ifi *net.Interface, g net.Addr) error { return f.note("leave", ifi, g) }
func (f *fakeJoiner) JoinSourceSpecificGroup(ifi *net.Interface, g, s net.Addr) error {
	return f.note("join", ifi, g, s)
}
func (f *fakeJoiner) LeaveSourceSpecificGroup(ifi *net.Interface, g, s net.Addr) error {
	return f.note("leave", ifi, g, s)
}

func TestMembership(t *testing.T) {
	const lan = net.FlagUp | net.FlagMulticast | net.FlagRunning
	for _, source := range []netip.Addr{{}, netip.MustParseAddr("10.0.0.9")} {
		group := "239.1.1.1"
		if source.IsValid() {
			group += " " + source.String()
		}
		var log journal
		f := &fakeJoiner{errs: map[int]error{}}
		m := &membership{wish: wish{addr: netip.MustParseAddr("239.1.1.1")}, source: source, conn: f, failed: map[string]string{}, log: log.logger()}
		eth, wifi := testLink(2, "eth0", lan, "10.0.0.1/24"), testLink(3, "wlan0", lan, "10.1.0.1/24")
		step := func(what string, changed bool, all []link, calls ...string) {
			t.Helper()
			f.calls = nil
			if got := m.update(all); got != changed {
				t.Errorf("%s: changed is %t", what, got)
			}
			for i := range calls {
				calls[i] = strings.Replace(calls[i], "G", group, 1)
			}
			if !slices.Equal(f.calls, calls) {
				t.Errorf("%s: %q, want %q", what, f.calls, calls)
			}
		}
		step("at the start", true, []link{eth, wifi}, "join G on 2", "join G on 3")
		step("nothing new", false, []link{eth, wifi})
		replugged := eth
		replugged.Index = 7
		step("another index", true, []link{replugged, wifi}, "leave G on 2", "join G on 7")
		unplugged := replugged
		unplugged.Flags &^= net.FlagRunning
		step("cable out", true, []link{unplugged, wifi}, "leave G on 7", "join G on 7")
		moved := wifi
		moved.addrs = []netip.Prefix{netip.MustParsePrefix("10.2.0.1/24")}
		step("another address", true, []link{unplugged, moved}, "leave G on 3", "join G on 3")
		step("gone", true, []link{unplugged}, "leave G on 3")
		f.errs[3] = syscall.ENOBUFS
		step("no room", false, []link{unplugged, moved}, "join G on 3")
		step("no room yet", false, []link{unplugged, moved}, "join G on 3")
		f.errs[3] = syscall.EADDRINUSE
		step("a member still", true, []link{unplugged, moved}, "join G on 3")
		if got := log.String(); strings.Count(got, syscall.ENOBUFS.Error()) != 1 || strings.Count(got, "the interface is down") != 1 {
			t.Errorf("log is %q", got)
		}
		f.errs[7], f.errs[3] = syscall.ENODEV, nil
		f.calls = nil
		m.again()
		if len(f.calls) != 4 || f.calls[0] != "leave "+group+" on 7" || f.calls[3] != "join "+group+" on 3" {
			t.Errorf("joined again: %q", f.calls)
		}
		f.errs[7] = nil
		step("what failed then", true, []link{unplugged, moved}, "leave G on -1", "join G on 7")
	}
}
