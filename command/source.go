package command

import (
	"fmt"
	"image"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

func sourceFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "source", Category: catPicture, Value: "test",
			Usage: "`WHAT` to send: test (a moving card), camera:N or /dev/videoN, rtsp://, http:// or mjpeg+http:// (an IP camera), a video file or recording, images:DIR-OR-GLOB, or - (standard input: JPEGs one after the other, YUV4MPEG2, or raw pictures with --format)"},
		&cli.StringFlag{Name: "size", Category: catPicture,
			DefaultText: "the source's own, 1280x720 for test", Usage: "size of the picture as `WxH` pixels; a camera is asked for it"},
		&cli.Float64Flag{Name: "fps", Category: catPicture, DefaultText: "the source's own, else 30",
			Usage: "`FRAMES` a second, at most 1000; of a live source, the most that pass"},
		&cli.IntFlag{Name: "quality", Category: catPicture, DefaultText: strconv.Itoa(codec.DefaultQuality) + "; JPEGs as they come",
			Usage: "JPEG quality, `1..100`; JPEG sources are encoded again only if this, --size or --timecode is given"},
		&cli.StringFlag{Name: "slices", Category: catPicture, Value: "auto",
			Usage: "strips of a picture that are encoded at once, and decoded at once by viewers, `auto|1..64`; it stays one ordinary JPEG"},
		&cli.BoolFlag{Name: "loop", Category: catPicture, Usage: "start a file or images again at their end"},
		&cli.StringFlag{Name: "format", Category: catPicture,
			DefaultText: "told by its first bytes", Usage: "format of standard input, `mjpeg|y4m|bgr24`; bgr24 needs --size"},
		&cli.BoolFlag{Name: "timecode", Category: catPicture,
			Usage: "paint the machine-readable timecode strip into the picture (test has it always)"},
	)
}

// openSource opens what the source flags say. A pipe that stays silent is waited for
// until --duration has passed.
func (s *session) openSource(c *cli.Context, ctl *rateControls) (stream.Source, error) {
	size, err := parseSize(c.String("size"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"fps", "quality"} { // 0 means "not given" to capture
		if c.IsSet(name) && (c.Float64("fps") == 0 && name == "fps" || c.Int("quality") == 0 && name == "quality") {
			return nil, usage("--%s is 0, want more", name)
		}
	}
	slices, err := parseSlices(c.String("slices"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.limit(c.Context)
	defer cancel()
	return capture.Open(ctx, capture.Config{
		Source: c.String("source"), Size: size, FPS: c.Float64("fps"), Quality: c.Int("quality"), Slices: slices, Rate: ctl.of(),
		Loop: c.Bool("loop"), Timecode: c.Bool("timecode"), Format: c.String("format"),
		Stdin: c.App.Reader, Log: s.log,
	})
}

// parseSlices reads auto as 0, which capture takes for it.
func parseSlices(text string) (int, error) {
	if text == "auto" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > codec.MaxSlices {
		return 0, usage("--slices is %q, want auto or 1..%d", text, codec.MaxSlices)
	}
	return n, nil
}

// parseSize reads WxH; capture checks the range.
func parseSize(s string) (image.Point, error) {
	if s == "" {
		return image.Point{}, nil
	}
	w, h, ok := strings.Cut(strings.ToLower(s), "x")
	x, errX := strconv.Atoi(w)
	y, errY := strconv.Atoi(h)
	if !ok || errX != nil || errY != nil || x == 0 && y == 0 {
		return image.Point{}, usage("--size is %q, want WIDTHxHEIGHT in pixels, such as 1280x720", s)
	}
	return image.Pt(x, y), nil
}

// describe names a source for people: its name, size and rate as far as known.
func describe(source stream.Source) string {
	r, ok := source.(capture.Reporter)
	if !ok {
		return "video"
	}
	info := r.Info()
	text := info.Name
	if info.Size != (image.Point{}) {
		text += fmt.Sprintf(" %dx%d", info.Size.X, info.Size.Y)
	}
	if info.FPS > 0 {
		text += fmt.Sprintf(" at %.4g fps", info.FPS)
	}
	return text
}
