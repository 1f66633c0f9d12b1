package display

import (
	"strings"

	"github.com/framegram/framegram/stream"
)

// Open opens the display that cfg asks for. Every one but "none" implements
// [Reporter], the page also interface{ URL() string }, and the window
// [stream.Poller].
//
// A window must be driven from one thread, on macOS from the program's first:
// Open locks the calling goroutine to its thread until Close, and Write, Poll and
// Close must come from that goroutine, as they do when it calls [stream.Copy].
func Open(cfg Config) (stream.Sink, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	switch cfg.Kind {
	case "none":
		return none{}, nil
	case "stdout":
		return openStdout(cfg)
	case "web":
		return openWeb(cfg, "")
	case "window":
		return openWindow(cfg)
	case "auto":
		return openAuto(cfg)
	default:
		return openImages(cfg, strings.TrimPrefix(cfg.Kind, imagesPrefix))
	}
}

// openAuto asks first whether a window can be had, because the libraries below
// highgui end the whole program when it cannot.
func openAuto(cfg Config) (stream.Sink, error) {
	if cfg.WebAddr != "" {
		return openWeb(cfg, "")
	}
	if why := windowMissing(false); why != "" {
		return openWeb(cfg, why+": ")
	}
	return openWindow(cfg)
}
