package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// device is the name of the link's end on both hosts.
const device = "fg0"

// txQueue is how many packets may wait in the device for the forwarder to take them,
// the kernel's 500 being 5 ms of small datagrams at full speed.
const txQueue = 5000

// prefixes of the two addresses: .0 and .3 are the network and the broadcast address.
const prefix4, prefix6 = 30, 64

// tun is a TUN device, to be made and configured by a thread in its namespace.
type tun struct {
	fd      int      // does not block
	figures *os.File // the namespace's /proc/net/dev
}

// openTUN makes the device, which lives until it is closed. Without IFF_VNET_HDR the
// kernel cuts what TCP gives it to packets of the MTU.
func openTUN() (*tun, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, explainTUN(err)
	}
	ifr, err := unix.NewIfreq(device)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	var figures *os.File
	if err == nil {
		figures, err = os.Open("/proc/thread-self/net/dev")
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlab: making the TUN device: %w", err)
	}
	return &tun{fd, figures}, nil
}

func (t *tun) close() {
	unix.Close(t.fd)
	t.figures.Close()
}

// missed is how many packets the device dropped because nobody took them in time: the
// 12th number in its line (proc_pid_net(5), tun_net_xmit in drivers/net/tun.c).
func (t *tun) missed() uint64 {
	b := make([]byte, 4096)
	n, _ := t.figures.ReadAt(b, 0)
	for line := range strings.Lines(string(b[:n])) {
		if name, numbers, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == device {
			if fields := strings.Fields(numbers); len(fields) >= 12 {
				n, _ := strconv.ParseUint(fields[11], 10, 64)
				return n
			}
		}
	}
	return 0
}

// setUp gives lo and the device of the calling thread's namespace their settings and
// sets them up. An address6 that the kernel cannot have, as it does without IPv6, is
// reported as false.
func setUp(address4, address6 netip.Addr, mtu int) (has6 bool, err error) {
	if err := setFlagsUp("lo"); err != nil {
		return false, err
	}
	mask := [4]byte{255, 255, 255, 255 << (32 - prefix4) & 255}
	ip := address4.As4()
	for _, step := range []struct {
		name    string
		request uint
		set     func(*unix.Ifreq) error
	}{
		{"address", unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(ip[:]) }},
		{"netmask", unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr(mask[:]) }},
	} {
		if err := configure(device, step.request, step.set); err != nil {
			return false, fmt.Errorf("netlab: setting the %s of %s: %w", step.name, device, err)
		}
	}
	if err := errors.Join(setMTU(mtu), setTxQueue(), setFlagsUp(device)); err != nil {
		return false, err
	}
	return setAddress6(address6)
}

// setMTU works while the device is in use.
func setMTU(mtu int) error {
	if err := configure(device, unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(uint32(mtu)); return nil }); err != nil {
		return fmt.Errorf("netlab: setting the MTU of %s to %d: %w", device, mtu, err)
	}
	return nil
}

// setTxQueue asks by rtnetlink(7): the kernel lets only the machine's own root use the
// request of netdevice(7), SIOCSIFTXQLEN.
func setTxQueue() error {
	index, err := linkIndex()
	if err != nil {
		return err
	}
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	defer unix.Close(s)
	const size = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg + unix.SizeofRtAttr + 4
	order, request := binary.NativeEndian, make([]byte, 0, size)
	request = order.AppendUint32(request, size) // struct nlmsghdr: length, type, flags, sequence, port
	request = order.AppendUint16(request, unix.RTM_NEWLINK)
	request = order.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	request = append(request, make([]byte, 8)...)
	request = append(request, make([]byte, 4)...) // struct ifinfomsg: family and type, index, flags and their mask
	request = order.AppendUint32(request, index)
	request = append(request, make([]byte, 8)...)
	request = order.AppendUint16(request, unix.SizeofRtAttr+4) // struct rtattr
	request = order.AppendUint16(request, unix.IFLA_TXQLEN)
	request = order.AppendUint32(request, txQueue)
	answer := make([]byte, 4096)
	n := 0
	if _, err = unix.Write(s, request); err == nil {
		n, err = unix.Read(s, answer)
	}
	if err == nil && n >= unix.SizeofNlMsghdr+4 { // struct nlmsgerr
		if code := -int32(order.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
			err = unix.Errno(code)
		}
	}
	if err != nil {
		return fmt.Errorf("netlab: setting the queue length of %s: %w", device, err)
	}
	return nil
}

// linkIndex is the device's number in its namespace.
func linkIndex() (index uint32, err error) {
	err = configure(device, unix.SIOCGIFINDEX, func(*unix.Ifreq) error { return nil }, func(r *unix.Ifreq) { index = r.Uint32() })
	if err != nil {
		return 0, fmt.Errorf("netlab: the index of %s: %w", device, err)
	}
	return index, nil
}

func setFlagsUp(name string) error {
	var flags uint16
	err := configure(name, unix.SIOCGIFFLAGS, func(*unix.Ifreq) error { return nil }, func(r *unix.Ifreq) { flags = r.Uint16() })
	if err == nil {
		err = configure(name, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(flags | unix.IFF_UP); return nil })
	}
	if err != nil {
		return fmt.Errorf("netlab: setting %s up: %w", name, err)
	}
	return nil
}

// configure makes one request of netdevice(7).
func configure(name string, request uint, set func(*unix.Ifreq) error, get ...func(*unix.Ifreq)) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq(name)
	if err == nil {
		err = set(r)
	}
	if err == nil {
		err = unix.IoctlIfreq(s, request, r)
	}
	for _, f := range get {
		f(r)
	}
	return err
}

// setAddress6 needs no word about duplicate address detection: a TUN device is
// point-to-point (IFF_NOARP), so the kernel does none. But it finds that out in a work
// queue of its own (addrconf_dad_work in net/ipv6/addrconf.c), and until then the
// address is tentative and cannot be bound: that is waited for.
func setAddress6(address netip.Addr) (bool, error) {
	s, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == unix.EAFNOSUPPORT {
		return false, nil // booted with ipv6.disable=1, or built without
	}
	if err != nil {
		return false, fmt.Errorf("netlab: %w", err)
	}
	defer unix.Close(s)
	index, err := linkIndex()
	if err == nil {
		in6 := struct { // struct in6_ifreq of linux/ipv6.h
			address       [16]byte
			prefix, index uint32
		}{address.As16(), prefix6, index}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCSIFADDR, uintptr(unsafe.Pointer(&in6))); errno != 0 {
			err = errno
		}
	}
	for limit := time.Now().Add(time.Second); err == nil; time.Sleep(time.Millisecond) {
		err = unix.Bind(s, &unix.SockaddrInet6{Addr: address.As16()})
		if err != unix.EADDRNOTAVAIL || time.Now().After(limit) {
			break
		}
		err = nil
	}
	switch err {
	case nil:
		return true, nil
	case unix.EACCES: // net.ipv6.conf.all.disable_ipv6
		return false, nil
	}
	return false, fmt.Errorf("netlab: setting the address %v of %s: %w", address, device, err)
}
