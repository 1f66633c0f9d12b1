//go:build cgo && !nocv

package display

import "gocv.io/x/gocv"

// OpenCV names the library this build shows windows with, such as "OpenCV 4.6.0",
// or says that it has none.
func OpenCV() string { return "OpenCV " + gocv.OpenCVVersion() }
