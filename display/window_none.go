//go:build !cgo || nocv

package display

import (
	"fmt"

	"github.com/framegram/framegram/stream"
)

const noOpenCV = "this build has no OpenCV"

func windowMissing(bool) string { return noOpenCV }

func openWindow(Config) (stream.Sink, error) {
	return nil, fmt.Errorf("display: %s: use the page instead (--display web), or build with cgo and without the tag nocv", noOpenCV)
}
