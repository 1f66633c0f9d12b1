package display

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// A terminal is refused, in every format, with what to do instead.
func TestStdoutTerminal(t *testing.T) {
	tty := openTerminal(t)
	for _, format := range []string{"mjpeg", "y4m", "bgr24"} {
		s, err := Open(Config{Kind: "stdout", Format: format, Stdout: tty})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", format)
		} else if !strings.Contains(err.Error(), "is a terminal") || !strings.Contains(err.Error(), "ffplay") {
			t.Errorf("%s: got %v", format, err)
		}
	}
}

// openTerminal returns the far side of a new pseudo-terminal (pts(4)).
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		testutil.Skip(t, "no pseudo-terminal to be had: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}
