package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/framegram/framegram/stream"
)

// openVideo opens a video file. What can be said of it without OpenCV is said first.
func openVideo(cfg Config, path string) (stream.Source, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noSuchSource(path, err)
	case err != nil:
		return nil, fmt.Errorf("capture: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("capture: %s is a directory: to play the pictures in it, say images:%s", path, path)
	case !info.Mode().IsRegular(): // opening a named pipe could block for ever
		return nil, fmt.Errorf("capture: %s is not a regular file: a pipe is read as standard input, with --source - < %s", path, path)
	case info.Size() == 0:
		return nil, fmt.Errorf("capture: %s is empty", path)
	}
	s, why, err := openRecording(cfg, path)
	if s != nil || err != nil {
		return s, err
	}
	s, err = openVideoFile(cfg, path)
	if err != nil && why != nil {
		err = fmt.Errorf("capture: %s %w: %w", path, why, err)
	}
	return s, err
}

// noSuchSource tells a file that is missing from a source of no known kind.
func noSuchSource(s string, err error) error {
	switch {
	case strings.Contains(s, "://"):
		s = redact(s)
		return &ConfigError{"source", fmt.Errorf("is the address %s, of a kind that this version cannot open (want %s): let FFmpeg fetch it, as in ffmpeg -i %s -f mjpeg - | framegram send --source -: %w",
			s, strings.Join(schemes, "://, ")+"://", s, fs.ErrNotExist)}
	case filepath.Ext(s) != "" || strings.ContainsRune(s, filepath.Separator):
		return fmt.Errorf("capture: no such video file: %w", err)
	default:
		return &ConfigError{"source", fmt.Errorf("is %q, which is no file: %s: %w", s, kinds, err)}
	}
}
