//go:build cgo && !nocv

package display

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// 1: the display lets us in. 0: it does not. -1: there is no libX11 to ask with.
static int x11_opens(const char *name) {
	void *lib = dlopen("libX11.so.6", RTLD_LAZY);
	if (lib == NULL)
		return -1;
	void *(*open)(const char *) = (void *(*)(const char *))dlsym(lib, "XOpenDisplay");
	int (*close)(void *) = (int (*)(void *))dlsym(lib, "XCloseDisplay");
	if (open == NULL || close == NULL)
		return -1;
	void *display = open(name);
	if (display == NULL)
		return 0;
	close(display);
	return 1;
}
*/
import "C"

import "unsafe"

// x11Opens tries the display for good, with the credentials it wants (xauth): that
// somebody listens there is not yet a window. libX11 is loaded by highgui anyway,
// and asked for by name so that building needs none of its headers.
func x11Opens(display string) bool {
	s := C.CString(display)
	defer C.free(unsafe.Pointer(s))
	return C.x11_opens(s) != 0
}
