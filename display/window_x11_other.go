//go:build cgo && !nocv && !linux

package display

import "image"

// x11Opens is only known on Linux; elsewhere a display that answers is taken.
func x11Opens(string) bool { return true }

// screenSize leaves the full screen to the desktop.
func screenSize() (size image.Point, managed bool) { return size, true }

// watchDisplay is only needed for X11.
func watchDisplay(bool) {}
