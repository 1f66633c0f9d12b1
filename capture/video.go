package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/framegram/framegram/stream"
)

// openVideo opens a video file. What can be said of it without OpenCV is said first.
func openVideo(ctx context.Context, cfg Config, path string) (stream.Source, error) {
	info, err := os.Stat(path)
	shown := quoted(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noSuchSource(path, err)
	case err != nil:
		return nil, errorf("%w", err)
	case info.IsDir():
		return nil, errorf("%s is a directory: to play the pictures in it, say images:%s", shown, shown)
	case !info.Mode().IsRegular(): // opening a named pipe could block for ever
		return nil, errorf("%s is not a regular file: a pipe is read as standard input, with --source - < %s", shown, shown)
	case info.Size() == 0:
		return nil, errorf("%s is empty", shown)
	}
	s, why, err := openRecording(ctx, cfg, path)
	if s != nil || err != nil {
		return s, err
	}
	if ctx.Err() != nil { // before OpenCV begins, which knows no end
		return nil, context.Cause(ctx)
	}
	s, err = openVideoFile(cfg, path)
	var config *ConfigError
	switch {
	case err == nil, errors.As(err, &config):
		return s, err
	case why != nil:
		return nil, errorf("%s %w, and %w", shown, why, err)
	}
	return nil, errorf("%s %w", shown, err)
}

// noSuchSource tells a file that is missing from a source of no known kind.
func noSuchSource(s string, err error) error {
	shown := redact(s)
	switch {
	case isScheme(s):
		return &ConfigError{"source", fmt.Errorf("is %s, which is no address: want SCHEME://[USER:PASSWORD@]HOST[:PORT]/PATH: %w", shown, fs.ErrNotExist)}
	case strings.Contains(s, "://"):
		return &ConfigError{"source", fmt.Errorf("is the address %s, of a kind that this version cannot open (want %s): let FFmpeg fetch it, as in ffmpeg -i %s -f mjpeg - | framegram send --source -: %w",
			shown, strings.Join(schemes, "://, ")+"://", shown, fs.ErrNotExist)}
	case filepath.Ext(s) != "" || strings.ContainsRune(s, filepath.Separator):
		return errorf("no such video file: %w", err)
	default:
		return &ConfigError{"source", fmt.Errorf("is %q, which is no file: %s: %w", hidden(s), kinds, fs.ErrNotExist)}
	}
}
