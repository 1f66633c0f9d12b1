package main

import "runtime"

// A window of macOS must be driven from the program's first thread, which is the
// one init and main run on.
func init() { runtime.LockOSThread() }
