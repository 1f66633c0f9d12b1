//go:build !cgo || nocv

package capture

import (
	"fmt"

	"github.com/framegram/framegram/stream"
)

func openVideoFile(_ Config, path string) (stream.Source, error) {
	return nil, fmt.Errorf("capture: %s: %w, which reads video files: take a build that has it, or pipe the file in, as in ffmpeg -re -i %s -f yuv4mpegpipe - | framegram send --source -", path, ErrNoOpenCV, path)
}
