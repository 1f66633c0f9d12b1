//go:build !cgo || nocv

package capture

import (
	"fmt"

	"github.com/framegram/framegram/stream"
)

func openCameraCV(c *camera, _ *counters, _ string, formats []Format) (stream.Source, error) {
	return nil, c.errorf("%w, and %w can take what it has: %s", errNoJPEG, ErrNoOpenCV, brief(formats))
}

func openAddressCV(a address, _ Config, _ *counters) (stream.Source, error) {
	return nil, a.errorf("cannot be played: %w, which plays such a stream: take a build that has it, or let FFmpeg fetch it, as in ffmpeg -i %s -f mjpeg - | framegram send --source -", ErrNoOpenCV, a.shown)
}

// openVideoFile gives errors whose subject is the file.
func openVideoFile(_ Config, path string) (stream.Source, error) {
	return nil, fmt.Errorf("cannot be read: %w, which reads video files: take a build that has it, or pipe the file in, as in ffmpeg -re -i %s -f yuv4mpegpipe - | framegram send --source -", ErrNoOpenCV, quoted(path))
}
