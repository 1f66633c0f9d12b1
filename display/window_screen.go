//go:build cgo && !nocv

package display

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// windowMissing says why no window can be opened, "" when one can. The toolkits
// below highgui end the whole program when no display answers, so it must be known
// before.
//
// What they need is an X11 display (with Wayland: Xwayland's). Some builds of
// OpenCV manage without; asked tells that the user wants a window in any case, and
// then a Wayland display is enough to try.
func windowMissing(asked bool) string {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return "" // the desktop is always there
	}
	x, wayland := os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY")
	if asked && x == "" && wayland != "" && waylandAnswers(wayland) {
		return ""
	}
	switch {
	case x == "":
		return "there is no display here (DISPLAY is not set)"
	case !x11Answers(x):
		return fmt.Sprintf("the display %q does not answer", x)
	case !x11Opens(x):
		return fmt.Sprintf("the display %q does not let us in", x)
	}
	return ""
}

// x11Answers reports whether somebody listens where DISPLAY points to, as X(7) and
// libxcb read it: [host]:number[.screen], on a local socket when the host is empty.
func x11Answers(display string) bool {
	i := strings.LastIndexByte(display, ':')
	if i < 0 {
		return false
	}
	host := display[:i]
	number, _, _ := strings.Cut(display[i+1:], ".")
	n, err := strconv.ParseUint(number, 10, 15)
	if err != nil {
		return false
	}
	switch _, protocol, _ := strings.Cut(host, "/"); {
	case filepath.IsAbs(host): // launchd's socket carries the number in its name
		return answers("unix", display) || answers("unix", host)
	case host == "", host == "unix", protocol == "unix":
		path := fmt.Sprintf("/tmp/.X11-unix/X%d", n)
		return answers("unix", "@"+path) || answers("unix", path)
	}
	host = strings.Trim(host[strings.IndexByte(host, '/')+1:], "[]")
	return answers("tcp", net.JoinHostPort(host, strconv.FormatUint(6000+n, 10)))
}

// waylandAnswers does the same for WAYLAND_DISPLAY: a path, or a name in the user's
// run-time directory (wl_display_connect in libwayland).
func waylandAnswers(display string) bool {
	if !filepath.IsAbs(display) {
		display = filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), display)
	}
	return answers("unix", display)
}

func answers(network, address string) bool {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
