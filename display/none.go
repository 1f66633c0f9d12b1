package display

import (
	"context"

	"github.com/framegram/framegram/stream"
)

// none takes frames and does nothing with them, not even decode.
type none struct{}

func (none) Write(context.Context, *stream.Frame) error { return nil }
func (none) Close() error                               { return nil }
