//go:build cgo && !nocv

package display

/*
#cgo !windows pkg-config: opencv4
#cgo CXXFLAGS: --std=c++11
#cgo windows CPPFLAGS: -IC:/opencv/build/install/include
#include <stdlib.h>
#include "window_highgui.h"
*/
import "C"

import (
	"image"
	"unsafe"

	"gocv.io/x/gocv"
)

// guiNormal is cv::WINDOW_GUI_NORMAL: no toolbar and no status bar, which highgui's
// Qt adds otherwise.
const guiNormal = 0x10

// newWindow opens a window that can be resized, and locks the calling goroutine to
// its thread. highgui stretches over the whole of it what it is given (with Qt to the
// nearest pixel, which frays text and edges), so paint gives it pictures of just the
// window's size. gocv always passes flags 0; it finds the window under its name, and
// adopts it.
func newWindow(name string) *gocv.Window {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	C.fg_window_open(s, C.int(gocv.WindowNormal)|C.int(gocv.WindowFreeRatio)|guiNormal)
	return gocv.NewWindow(name)
}

// windowInside is the place of the window's picture on the screen, in pixels; empty
// where the toolkit cannot tell.
func windowInside(name string) image.Rectangle {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	var r [4]C.int
	C.fg_window_inside(s, &r[0])
	if r[2] <= 0 || r[3] <= 0 {
		return image.Rectangle{}
	}
	return image.Rect(0, 0, int(r[2]), int(r[3])).Add(image.Pt(int(r[0]), int(r[1])))
}

// waitKey lets highgui draw and listen for a millisecond, and returns the character
// of a key that was pressed, 0 for none. Of what the toolkits report, keysym(7) with
// most, bits above 15 are modifiers and codes above 0xFF keys without a character
// (gocv's WaitKey cuts them down to eight bits, and makes Q of Left).
func waitKey() rune {
	key := C.fg_wait_key(1)
	if key < 0 || key&0xFF00 != 0 {
		return 0
	}
	return rune(key & 0xFF)
}
