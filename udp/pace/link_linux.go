package pace

import (
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtool's numbers (linux/ethtool.h) that package unix does not have.
const (
	ethtoolGSet          = 0x1
	ethtoolGDrvInfo      = 0x3
	ethtoolGLinkSettings = 0x4c

	linkSettingsLen = 48  // struct ethtool_link_settings without its masks
	maxMaskWords    = 127 // of each of the three masks: the count is a signed byte

	speedUnknown   = 1<<32 - 1 // SPEED_UNKNOWN
	speedUnknown16 = 1<<16 - 1 // the same, of drivers with 16 bits
	mostSpeed      = 1<<31 - 1 // Mbit/s: "all values 0 to INT_MAX are legal"
)

// LinkSpeed is the speed in bit/s of the link that the interface of that name has now, 0
// where it is down, is a radio, or tells none. It asks the kernel through a socket (SIOCETHTOOL, netdevice(7)
// and linux/ethtool.h): /sys may show the interfaces of another network namespace.
func LinkSpeed(name string) int64 {
	if len(name) >= unix.IFNAMSIZ {
		return 0
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	return linkSpeed(func(b []byte) error { return ethtool(fd, name, b) })
}

// linkSpeed asks by ethtool, which reads a request from b and writes its answer there.
func linkSpeed(ethtool func(b []byte) error) int64 {
	var b [linkSettingsLen + 3*4*maxMaskWords]byte
	mbit, err := linkSettings(ethtool, b[:])
	if err != nil {
		mbit, err = oldSettings(ethtool, b[:])
	}
	switch {
	case err != nil, mbit == speedUnknown16, mbit > mostSpeed:
		return 0
	case mbit <= 10 && isTUN(ethtool, b[:]):
		return 0 // not a link: a number that drivers/net/tun.c made up before Linux 6.2. Since then it is 10 Gbit/s
	}
	return int64(mbit) * 1_000_000
}

// linkSettings asks twice: the first answer is how long the masks of the second are, as a
// negative number.
func linkSettings(ethtool func([]byte) error, b []byte) (mbit uint32, err error) {
	const words = 15 // offset of link_mode_masks_nwords
	if err := ask(ethtool, b, ethtoolGLinkSettings); err != nil {
		return 0, err
	}
	n := -int(int8(b[words]))
	if n <= 0 || n > maxMaskWords {
		return 0, unix.EPROTO
	}
	clear(b)
	b[words] = byte(n)
	binary.NativeEndian.PutUint32(b, ethtoolGLinkSettings)
	if err := ethtool(b); err != nil {
		return 0, err
	}
	return binary.NativeEndian.Uint32(b[4:]), nil
}

// oldSettings asks kernels and drivers before Linux 4.6. In struct ethtool_cmd, the speed
// stands at 12, its upper 16 bits at 28.
func oldSettings(ethtool func([]byte) error, b []byte) (mbit uint32, err error) {
	if err := ask(ethtool, b, ethtoolGSet); err != nil {
		return 0, err
	}
	return uint32(binary.NativeEndian.Uint16(b[12:])) | uint32(binary.NativeEndian.Uint16(b[28:]))<<16, nil
}

func isTUN(ethtool func([]byte) error, b []byte) bool {
	return ask(ethtool, b, ethtoolGDrvInfo) == nil && string(b[4:8]) == "tun\x00"
}

func ask(ethtool func([]byte) error, b []byte, command uint32) error {
	clear(b)
	binary.NativeEndian.PutUint32(b, command)
	return ethtool(b)
}

// ethtool has the kernel read and write b, which must be as long as its answer.
func ethtool(fd int, name string, b []byte) error {
	var request struct { // struct ifreq
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [24 - unsafe.Sizeof(uintptr(0))]byte
	}
	copy(request.name[:], name)
	request.data = unsafe.Pointer(&b[0])
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); e != 0 {
		return os.NewSyscallError("ioctl", e)
	}
	return nil
}
