//go:build !linux

package capture

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/framegram/framegram/stream"
)

// openCamera leaves cameras to OpenCV, which numbers them itself.
func openCamera(ctx context.Context, cfg Config, source string) (stream.Source, error) {
	c, err := newCamera(cfg, source)
	if err != nil {
		return nil, err
	}
	if c.index < 0 {
		return nil, &ConfigError{"source", fmt.Errorf("is %q, which is a name of Linux: say camera:0, camera:1 and so on", source)}
	}
	c.path = ""
	return openAgain(ctx, cfg, c.name, func(_ context.Context, count *counters) (stream.Source, error) {
		return openCameraCV(c, count, "", nil)
	})
}

func listDevices(context.Context) ([]Device, error) {
	return nil, fmt.Errorf("capture: cameras cannot be listed on %s: try camera:0, camera:1 and so on: %w", runtime.GOOS, errors.ErrUnsupported)
}
