package udp

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// enslaved are the indices of the interfaces that are part of a bridge, bond or team
// (IFLA_MASTER in rtnetlink(7)). Netlink is asked, for in a network namespace /sys may
// still show the host's interfaces.
func enslaved() map[int]bool {
	found := map[int]bool{}
	rib, err := syscall.NetlinkRIB(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return found
	}
	ms, err := syscall.ParseNetlinkMessage(rib)
	if err != nil {
		return found
	}
	for _, m := range ms {
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			continue
		}
		for _, a := range attrs {
			if a.Attr.Type == unix.IFLA_MASTER {
				found[int(int32(binary.NativeEndian.Uint32(m.Data[4:])))] = true // struct ifinfomsg: ifi_index
			}
		}
	}
	return found
}

// wireless reports whether a name is that of a Wi-Fi interface, as far as /sys knows.
func wireless(name string) bool {
	for _, entry := range []string{"wireless", "phy80211"} {
		if _, err := os.Stat(filepath.Join("/sys/class/net", name, entry)); err == nil {
			return true
		}
	}
	return false
}

// obstacles are settings of this machine that may keep a group of IPv4 from being
// heard on l (ip-sysctl.rst in the kernel's documentation).
func obstacles(l *link, v4, source bool) (found []string) {
	if !v4 || l.loopback() {
		return nil
	}
	if filter := max(sysctl("all", "rp_filter"), sysctl(l.Name, "rp_filter")); filter == 1 { // the larger one counts; 2 is loose
		found = append(found, fmt.Sprintf("rp_filter is strict on %s, so that senders to whom the route leads elsewhere are dropped (sysctl -w net.ipv4.conf.%s.rp_filter=2)", l.Name, strings.ReplaceAll(l.Name, ".", "/")))
	}
	if version := max(sysctl("all", "force_igmp_version"), sysctl(l.Name, "force_igmp_version")); source && (version == 1 || version == 2) {
		found = append(found, fmt.Sprintf("%s is held to IGMPv%d, which cannot ask for one source (sysctl net.ipv4.conf.%s.force_igmp_version)", l.Name, version, l.Name))
	}
	return found
}

// sysctl is 0 for what is not there.
func sysctl(name, key string) (n int) {
	text, err := os.ReadFile(filepath.Join("/proc/sys/net/ipv4/conf", name, key))
	if err == nil {
		fmt.Sscan(string(text), &n)
	}
	return n
}
