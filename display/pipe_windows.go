package display

import (
	"errors"

	"golang.org/x/sys/windows"
)

// readerLeft reports whether a write failed because nobody reads the pipe any more:
// ERROR_NO_DATA is "the pipe is being closed".
func readerLeft(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}
