// Package capture opens what gives pictures: every [Open] returns a
// [stream.Source] of complete JPEGs.
//
//	test, or nothing           a moving test card
//	images:DIR or GLOB         JPEG files, in natural order
//	-                          standard input: concatenated JPEG, YUV4MPEG2 or raw BGR
//	camera:N, /dev/videoN      a camera
//	rtsp://, http://, https:// a stream, or a file, that FFmpeg understands
//	mjpeg+http://, +https://   a stream of JPEGs, as most IP cameras have one
//	anything else              a video file: a Matroska of JPEGs, as a recording is, or
//	                           what OpenCV reads
//
// # Two kinds of source
//
// The test card, video files, YUV4MPEG2, raw BGR and what OpenCV takes from a camera
// or the network give raw pictures, which are scaled, marked and encoded here. JPEG
// files, a recording, a JPEG stream, and on Linux a camera that can, give JPEGs, which pass through
// untouched (but for the standard Huffman tables, where a camera left them out) unless
// the size, the quality or the timecode strip asks for more: then they are decoded and
// take the way of the raw ones. A camera is asked for the size first.
//
// # Time
//
// Pipes, cameras and network streams are live: pictures are taken as they come, the
// newest replaces one that waits, and FPS only leaves pictures out. The test card and
// files are played: they
// keep an absolute schedule, so nothing drifts, and after a delay they go on with
// the picture of the present instead of bursting.
//
// Frame.Captured is when a live picture had arrived in full, or when a played one
// was due and there; it is stamped before the picture is painted or encoded.
// Frame.ID counts from 0 the pictures at the asked rate: those over FPS take no
// number, those skipped because somebody was too slow leave a gap.
//
// # Coming back
//
// Cameras and network streams must be there when they are opened. One that fails later
// is opened again, for ever, 250 ms after and then every 2 s at last; after 5 s of
// pictures the waits begin anew. A server of JPEGs fails, too, that sends nothing for
// 5 s, or for 15 s no picture that can be used, both longer if FPS is low: of a camera
// that is silent for 10 s between two pictures, FPS must say so. Meanwhile Next
// gives a placeholder about twice a second: a dark picture of the last size, which says
// since when there is none. It is stamped and numbered as a picture is.
//
// # Bad input
//
// What is no usable picture is skipped, counted in [Stats] and logged at most once a
// second; it is never passed on. Where standard input ends within a picture, what was
// whole is delivered before io.EOF. A video file that ends before it should is an
// error that matches io.ErrUnexpectedEOF, after its last picture. (A recording whose
// recorder was killed between two frames ends as a whole one does: it lacks nothing.)
package capture

import (
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"

	"github.com/framegram/framegram/stream"
)

// Defaults and limits of a Config.
const (
	DefaultFPS      = 30       // pictures a second, for sources that have no rate of their own
	DefaultMaxFrame = 16 << 20 // bytes of one JPEG

	minSide, maxSide = 16, 16384 // pixels
	maxFPS           = 1000      // pictures a second
)

// DefaultSize is the test card's, in pixels.
var DefaultSize = image.Pt(1280, 720)

// Config says what to open. The zero value is the test card.
type Config struct {
	// Source is "test", "images:DIR", "images:GLOB", "-", "camera:N", "/dev/videoN",
	// an address ("rtsp://", "http://", "https://", "mjpeg+http://" or
	// "mjpeg+https://"; with USER:PASSWORD@ before the host if need be, which no
	// message shows) or the path of a video file; empty means "test".
	Source string

	// Size of the pictures in pixels, each side 16..16384 (test card: 16..8192) and
	// at most codec.MaxPixels together. Zero means the source's own, and 1280x720
	// for the test card. JPEGs are encoded again to change it. For raw pictures
	// (Format "bgr24") it is the size they come in. A camera is asked for it; if it has
	// none such, its next larger one is scaled. Of a camera zero means the largest
	// within 1280x720 that it gives at 25 pictures a second or more.
	Size image.Point

	// FPS is how many pictures a second, over 0 to 1000. Zero means the source's own
	// rate, and 30 where it has none. The test card, images and a file as standard
	// input are played at it. Of anything else it is the most that
	// pass: pictures are left out, never repeated or sped up. A camera is asked for its
	// nearest rate that is no lower, 30 by default.
	FPS float64

	// Quality of the JPEGs, 1..100. Zero means codec.DefaultQuality for raw pictures,
	// and JPEGs as they are.
	Quality int

	// Rate decides about the quality and the size of raw pictures, and which are left out, one
	// by one: Quality is then its business. (It has no say in a placeholder.) JPEGs that pass
	// untouched it can only leave out. What is left out counts as Thinned. nil means that
	// nothing changes on the way.
	Rate Rate

	// Slices is in how many strips a picture is encoded at once, and by viewers decoded:
	// 1..codec.MaxSlices. Zero leaves it to the number of processors and the height. It is one
	// ordinary JPEG in any case, and JPEG sources that are not encoded again stay as they are.
	Slices int

	// Loop starts again at the end: video files, images, and a file as standard input.
	Loop bool

	// Timecode paints the machine-readable strip (package timecode) into every
	// picture, which must be at least 192x160. The test card always has it if it is
	// large enough.
	Timecode bool

	// Format of standard input: "mjpeg", "y4m" or "bgr24" (needs Size). Empty means
	// that the first bytes tell mjpeg from y4m.
	Format string

	Stdin    io.Reader    // for Source "-"; nil means os.Stdin
	MaxFrame int          // bytes; a larger JPEG is skipped and counted. Zero means 16 MiB
	Log      *slog.Logger // nil means discard
}

// Open opens a source, which is also a [Reporter]. For standard input it waits for
// the first bytes. A *ConfigError means that cfg asks for what cannot be; when ctx
// is done the error is context.Cause(ctx).
//
// Standard input, a file that hangs, and much of OpenCV and of drivers, cannot be
// interrupted: a goroutine reads it, and one that is still blocked when the source is
// closed, or when ctx ends the opening, is left behind
// until the read returns or the process ends.
func Open(ctx context.Context, cfg Config) (stream.Source, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	kind, arg := splitSource(cfg.Source)
	if cfg.Format != "" && kind != "-" {
		return nil, &ConfigError{"format", fmt.Errorf("is %q, which is for standard input (source -) only", cfg.Format)}
	}
	switch kind {
	case "test":
		return openTestCard(cfg)
	case "images":
		return abandonable(ctx, func(ctx context.Context) (stream.Source, error) { return openImages(ctx, cfg, arg) }, closeSource)
	case "-":
		return openStdin(ctx, cfg)
	case "camera":
		return openCamera(ctx, cfg, arg)
	case "address":
		return openAddress(ctx, cfg, arg)
	default:
		return abandonable(ctx, func(ctx context.Context) (stream.Source, error) { return openVideo(ctx, cfg, arg) }, closeSource)
	}
}
