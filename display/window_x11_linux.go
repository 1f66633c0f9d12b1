//go:build cgo && !nocv

package display

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// x11_look tries a display. 1: it lets us in, and the size of its screen in pixels and
// whether a window manager runs there are known. 0: it does not let us in. -1: there is
// no libX11 to ask with.
static int x11_look(const char *name, int *width, int *height, int *managed) {
	void *lib = dlopen("libX11.so.6", RTLD_LAZY);
	if (lib == NULL)
		return -1;
	void *(*open)(const char *) = (void *(*)(const char *))dlsym(lib, "XOpenDisplay");
	int (*close)(void *) = (int (*)(void *))dlsym(lib, "XCloseDisplay");
	int (*screen)(void *) = (int (*)(void *))dlsym(lib, "XDefaultScreen");
	int (*wide)(void *, int) = (int (*)(void *, int))dlsym(lib, "XDisplayWidth");
	int (*high)(void *, int) = (int (*)(void *, int))dlsym(lib, "XDisplayHeight");
	unsigned long (*root)(void *, int) = (unsigned long (*)(void *, int))dlsym(lib, "XRootWindow");
	unsigned long (*atom)(void *, const char *, int) = (unsigned long (*)(void *, const char *, int))dlsym(lib, "XInternAtom");
	unsigned long *(*properties)(void *, unsigned long, int *) = (unsigned long *(*)(void *, unsigned long, int *))dlsym(lib, "XListProperties");
	int (*release)(void *) = (int (*)(void *))dlsym(lib, "XFree");
	if (!open || !close || !screen || !wide || !high || !root || !atom || !properties || !release)
		return -1;
	void *display = open(name);
	if (display == NULL)
		return 0;
	int s = screen(display), n = 0;
	*width = wide(display, s);
	*height = high(display, s);
	// A window manager announces itself on the root window (Extended Window Manager
	// Hints 1.5, _NET_SUPPORTING_WM_CHECK).
	unsigned long check = atom(display, "_NET_SUPPORTING_WM_CHECK", 0);
	unsigned long *list = properties(display, root(display, s), &n);
	*managed = 0;
	for (int i = 0; i < n; i++)
		if (list[i] == check)
			*managed = 1;
	if (list != NULL)
		release(list);
	close(display);
	return 1;
}

static volatile int watching;

// When the display ends, the toolkit calls exit(3), without a word. Go's os.Exit does
// not come by here. stderr may be a pipe that nobody empties, and is not waited for.
static void at_exit(void) {
	static const char text[] = "framegram: display: the connection to the screen broke (has the X server or the desktop ended?): the window is gone\n";
	struct pollfd err = {.fd = 2, .events = POLLOUT};
	if (watching && poll(&err, 1, 100) == 1 && (err.revents & POLLOUT)) {
		ssize_t n = write(2, text, sizeof text - 1);
		(void)n;
	}
}

static void watch(int on) {
	static int registered;
	if (!registered)
		registered = atexit(at_exit) == 0;
	watching = on;
}
*/
import "C"

import (
	"image"
	"os"
	"time"
	"unsafe"
)

// x11Opens tries the display for good, with the credentials it wants (xauth): that
// somebody listens there is not yet a window. libX11 is loaded by highgui anyway,
// and asked for by name so that building needs none of its headers.
//
// A server that has just lost its last client begins anew and drops who comes
// meanwhile, such as a viewer that is started again at once: it is asked thrice.
func x11Opens(display string) bool {
	for range 2 {
		if opens, _, _ := x11Look(display); opens {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	opens, _, _ := x11Look(display)
	return opens
}

// screenSize is the size of the whole screen in pixels, and whether a window manager
// looks after it. Where that is unknown, as with Wayland, one does.
func screenSize() (size image.Point, managed bool) {
	opens, size, managed := x11Look(os.Getenv("DISPLAY"))
	return size, managed || !opens || size == (image.Point{})
}

func x11Look(display string) (opens bool, size image.Point, managed bool) {
	s := C.CString(display)
	defer C.free(unsafe.Pointer(s))
	var w, h, wm C.int
	opens = C.x11_look(s, &w, &h, &wm) != 0
	return opens, image.Pt(int(w), int(h)), wm != 0
}

// watchDisplay has it said when the end of the display ends the program, as the
// toolkits below highgui see to, from on to off.
func watchDisplay(on bool) {
	if on {
		C.watch(1)
	} else {
		C.watch(0)
	}
}
