//go:build cgo && !nocv

package display

/*
#include <stdlib.h>

// Window_New is gocv's own (highgui_gocv.h); its Go side always passes flags 0.
void Window_New(const char* name, int flags);
*/
import "C"

import (
	"unsafe"

	"gocv.io/x/gocv"
)

// guiNormal is cv::WINDOW_GUI_NORMAL: no toolbar and no status bar, which highgui's
// Qt adds otherwise.
const guiNormal = 0x10

// newWindow opens a window that can be resized and keeps its picture's proportions,
// and locks the calling goroutine to its thread. gocv finds the window under its
// name, and adopts it.
func newWindow(name string) *gocv.Window {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	C.Window_New(s, C.int(gocv.WindowNormal)|C.int(gocv.WindowKeepRatio)|guiNormal)
	return gocv.NewWindow(name)
}
