package netlab

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// otherwise ends every message about what a link lacks.
const otherwise = "plain loopback works without"

// explainTUN says what to do when /dev/net/tun cannot be opened.
func explainTUN(err error) error {
	switch err {
	case unix.ENOENT, unix.ENODEV, unix.ENXIO:
		return fmt.Errorf("netlab: the link needs /dev/net/tun: load its module with `modprobe tun`, or give the container the device (docker run --device /dev/net/tun); %s: %w", otherwise, err)
	case unix.EACCES, unix.EPERM:
		mode := "?"
		if i, err := os.Stat("/dev/net/tun"); err == nil {
			mode = i.Mode().Perm().String()
		}
		return fmt.Errorf("netlab: the link needs /dev/net/tun, which this user may not open (its mode is %s, distributions have -rw-rw-rw-): `sudo chmod 666 /dev/net/tun`, or run as root; %s: %w", mode, otherwise, err)
	}
	return fmt.Errorf("netlab: opening /dev/net/tun: %w", err)
}

// explainNamespace says what to do when a user may not have a user and network
// namespace, by the sysctls below etc, which is /proc/sys.
func explainNamespace(etc fs.FS, err error) error {
	is := func(name, value string) bool {
		b, err := fs.ReadFile(etc, name)
		return err == nil && strings.TrimSpace(string(b)) == value
	}
	var reason string
	switch {
	case is("kernel/unprivileged_userns_clone", "0"):
		reason = "this system forbids user namespaces: `sudo sysctl kernel.unprivileged_userns_clone=1`"
	case is("user/max_user_namespaces", "0"):
		reason = "this system allows no user namespaces: `sudo sysctl user.max_user_namespaces=10000`"
	case is("user/max_net_namespaces", "0"):
		reason = "this system allows no network namespaces: `sudo sysctl user.max_net_namespaces=10000`"
	case is("kernel/apparmor_restrict_unprivileged_userns", "1"):
		reason = "AppArmor keeps programs without a profile from user namespaces: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
	default:
		reason = "the kernel lacks user namespaces (CONFIG_USER_NS), or a container or security module forbids them"
	}
	return fmt.Errorf("netlab: the link needs network namespaces, which this user may not make; %s, or run as root; %s: %w", reason, otherwise, err)
}
