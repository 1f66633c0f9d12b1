package pace

import (
	"encoding/binary"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// The namespace is the thread's: a socket sees its interfaces, /sys does not.
func TestLinkSpeedInANamespace(t *testing.T) {
	testutil.NeedRoot(t)
	testutil.Need(t, "ip")
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends with it, as does the namespace
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("a network namespace: %v", err)
			return
		}
		for _, args := range []string{"link add fgl type veth peer name fglp", "link set fglp up", "link set fgl up"} {
			if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
				t.Errorf("ip %s: %v: %s", args, err, out)
				return
			}
		}
		if got := LinkSpeed("fgl"); got != 10_000_000_000 { // as veth(4)'s driver says of itself
			t.Errorf("a veth's link has %d bit/s, want 10 Gbit/s", got)
		}
	}()
	<-done
	for _, unknown := range []string{"lo", "", "fgl", "fgnone", strings.Repeat("x", unix.IFNAMSIZ), strings.Repeat("x", 100)} {
		if got := LinkSpeed(unknown); got != 0 {
			t.Errorf("outside, %q has %d bit/s, want 0: not known", unknown, got)
		}
	}
}

// driver answers as ethtool does for a driver.
type driver struct {
	name   string
	speed  uint32 // Mbit/s
	old    bool   // knows only ETHTOOL_GSET
	words  int8   // of each mask; odd where it is not 1..127
	drivel bool   // fills its answers with noise
}

func (d driver) ethtool(b []byte) error {
	if d.drivel {
		for i := 4; i < len(b); i++ {
			b[i] = byte(rand.Uint32())
		}
		return nil
	}
	switch binary.NativeEndian.Uint32(b) {
	case ethtoolGLinkSettings:
		if d.old {
			return unix.EOPNOTSUPP
		}
		if int8(b[15]) != d.words {
			b[15] = byte(-d.words)
			return nil // and no speed yet
		}
		binary.NativeEndian.PutUint32(b[4:], d.speed)
	case ethtoolGSet:
		if !d.old {
			return unix.EOPNOTSUPP
		}
		binary.NativeEndian.PutUint16(b[12:], uint16(d.speed))
		binary.NativeEndian.PutUint16(b[28:], uint16(d.speed>>16))
	case ethtoolGDrvInfo:
		if d.name == "" {
			return unix.EOPNOTSUPP
		}
		copy(b[4:36], d.name)
	}
	return nil
}

func TestLinkSpeedOfDrivers(t *testing.T) {
	for _, tt := range []struct {
		driver
		want int64
	}{
		{driver{name: "e1000e", speed: 1000, words: 4}, 1e9},
		{driver{name: "ice", speed: 100_000, words: 127}, 100e9},
		{driver{name: "e1000", speed: 100, old: true}, 100e6},
		{driver{name: "bnx2x", speed: 100_000, old: true}, 100e9},
		{driver{name: "virtio_net", speed: speedUnknown, words: 4}, 0},
		{driver{name: "virtio_net", speed: speedUnknown, old: true}, 0},
		{driver{name: "8139too", speed: speedUnknown16, old: true}, 0},
		{driver{name: "r8169", speed: 0, words: 4}, 0},
		{driver{name: "none", speed: mostSpeed + 1, words: 4}, 0},
		{driver{name: "none", speed: 1000, words: -128}, 0},
		{driver{name: "none", speed: 1000, words: -3}, 0},
		{driver{name: "none", speed: 1000, words: 0}, 0},
		{driver{name: "tun", speed: 10, words: 4}, 0},
		{driver{name: "tun", speed: 10, old: true}, 0},
		{driver{name: "tun", speed: 10_000, words: 4}, 10e9},
		{driver{name: "tunnel", speed: 10, words: 4}, 10e6},
		{driver{name: "ne2k-pci", speed: 10, words: 4}, 10e6},
		{driver{speed: 10, words: 4}, 10e6},
	} {
		if got := linkSpeed(tt.ethtool); got != tt.want {
			t.Errorf("%+v has %d bit/s, want %d", tt.driver, got, tt.want)
		}
	}
	if got := linkSpeed(func([]byte) error { return unix.EPERM }); got != 0 {
		t.Errorf("where nobody may ask, it is %d bit/s", got)
	}
	for range 10_000 {
		if got := linkSpeed(driver{drivel: true}.ethtool); got < 0 || got > mostSpeed*1_000_000 {
			t.Fatalf("of noise, it is %d bit/s", got)
		}
	}
}

func BenchmarkLinkSpeed(b *testing.B) {
	for b.Loop() {
		LinkSpeed("lo")
	}
}
