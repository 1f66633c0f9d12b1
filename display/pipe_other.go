//go:build !windows

package display

import (
	"errors"
	"syscall"
)

// readerLeft reports whether a write failed because nobody reads the pipe any more.
func readerLeft(err error) bool { return errors.Is(err, syscall.EPIPE) }
