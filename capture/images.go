package capture

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// maxKept is how many bytes of JPEG files stay in memory: minutes of 720p at full
// speed without a disk, and little beside the rest of a desktop. Files that do not
// fit are read again each time.
const maxKept = 64 << 20

// maxNamed is how many unusable files are named in the log when a set is opened.
const maxNamed = 20

// imageSet plays JPEG files one after the other.
type imageSet struct {
	*jpegs
	files    []imageFile
	pos      int    // of the next one
	path     string // of the last one
	loop     bool
	maxFrame int // bytes of a file
	keep     int // bytes of files to hold in memory
}

type imageFile struct {
	path string
	jpeg []byte // nil: read it from path
}

func openImages(ctx context.Context, cfg Config, arg string) (stream.Source, error) {
	paths, err := listImages(arg)
	if err != nil {
		return nil, err
	}
	s := newImageSet(cfg, "images:"+quoted(arg), maxKept)
	if err := s.load(ctx, paths); err != nil {
		return nil, err
	}
	return jpegSource(s.start(0), cfg)
}

func newImageSet(cfg Config, name string, keep int) *imageSet {
	s := &imageSet{
		jpegs: &jpegs{
			counters: new(counters),
			info:     Info{Name: name, FPS: cmp.Or(cfg.FPS, DefaultFPS)},
			log:      cfg.Log,
		},
		loop: cfg.Loop, maxFrame: cfg.MaxFrame, keep: keep,
	}
	s.read, s.name = s.nextImage, func() string { return s.path }
	return s
}

// listImages returns the files that arg names, in natural order.
func listImages(arg string) (paths []string, err error) {
	if arg == "" {
		return nil, &ConfigError{"source", errors.New("is images: without a directory or pattern behind it")}
	}
	switch info, statErr := os.Stat(arg); {
	case statErr == nil && info.IsDir():
		if paths, err = listDir(arg); err != nil {
			return nil, errorf("%w", err)
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("capture: no *.jpg or *.jpeg in the directory %q", arg)
		}
	case statErr == nil:
		paths = []string{arg}
	case !strings.ContainsAny(arg, `*?[`):
		return nil, errorf("no such directory of images: %w", statErr)
	default:
		if paths, err = filepath.Glob(arg); err != nil {
			return nil, &ConfigError{"source", fmt.Errorf("has the pattern %q: %w", arg, err)}
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("capture: no file matches %q: %w", arg, fs.ErrNotExist)
		}
	}
	slices.SortFunc(paths, natural)
	return paths, nil
}

func listDir(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg":
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

// load keeps what fits in memory and leaves out what cannot be used. It looks at the
// files until the memory is full and at least one can be shown.
func (s *imageSet) load(ctx context.Context, paths []string) error {
	var buf []byte
	var first error
	kept, good := 0, 0
	for _, path := range paths {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if good > 0 && kept >= s.keep {
			s.files = append(s.files, imageFile{path: path})
			continue
		}
		jpeg, err := appendFile(buf[:0], path, s.maxFrame)
		if err == nil {
			buf = jpeg
			err = whole(jpeg)
		}
		if err != nil {
			first = cmp.Or(first, fmt.Errorf("%s: %w", quoted(path), bare{err}))
			s.damage()
			if s.damaged.Load() <= maxNamed {
				s.log.Warn("image skipped", slog.String("file", path), slog.Any("err", err))
			}
			continue
		}
		good++
		f := imageFile{path: path}
		if kept += len(jpeg); kept <= s.keep {
			f.jpeg = slices.Clone(jpeg)
		}
		s.files = append(s.files, f)
	}
	if n := s.damaged.Load(); n > maxNamed {
		s.log.Warn("more images skipped", slog.Uint64("images", n-maxNamed))
	}
	if good == 0 {
		return fmt.Errorf("capture: none of %d files is a JPEG that can be shown: %w", len(paths), first)
	}
	return nil
}

// nextImage is the jpegs' read.
func (s *imageSet) nextImage(dst []byte) ([]byte, error) {
	if s.pos == len(s.files) && s.loop {
		s.pos = 0
	}
	switch {
	case len(s.files) == 0:
		return dst, errors.New("capture: none of the images can be read any more")
	case s.pos == len(s.files):
		return dst, io.EOF
	}
	f := s.files[s.pos]
	s.path = f.path
	if f.jpeg != nil {
		s.pos++
		return append(dst, f.jpeg...), nil
	}
	jpeg, err := appendFile(dst, f.path, s.maxFrame)
	if err == nil {
		err = whole(jpeg)
	}
	if err != nil { // not tried again
		s.files = slices.Delete(s.files, s.pos, s.pos+1)
		s.skip(err)
		return dst, errSkip
	}
	s.pos++
	return jpeg, nil
}

// whole reports what is wrong with a JPEG file: a header that cannot be used, or no
// end, as of a file whose copying was interrupted. (Behind a scan's start the bytes
// FF D9 are the end: in entropy-coded data FF is followed by 00, ITU-T T.81 B.1.1.5.)
func whole(jpeg []byte) error {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return err
	}
	if !bytes.Contains(jpeg[h.Scan:], endOfImage) {
		return fmt.Errorf("%w: cut off after %d bytes", codec.ErrFormat, len(jpeg))
	}
	return nil
}

var endOfImage = []byte{0xFF, 0xD9}

// appendFile reads a file of at most limit bytes.
func appendFile(dst []byte, path string, limit int) ([]byte, error) {
	info, err := os.Stat(path) // before opening: that of a named pipe would block
	switch {
	case err != nil:
		return dst, err
	case !info.Mode().IsRegular():
		return dst, errors.New("not a regular file")
	case info.Size() > int64(limit):
		return dst, fmt.Errorf("%d bytes, over the limit of %d", info.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return dst, err
	}
	defer f.Close()
	n := len(dst)
	dst = slices.Grow(dst, int(info.Size()))[:n+int(info.Size())]
	_, err = io.ReadFull(f, dst[n:])
	return dst, err
}

// natural compares names as people number them: frame2 before frame10.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx == 0 || dy == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
		if c := cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny)); c != 0 {
			return c
		}
		x, y = x[dx:], y[dy:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many bytes of decimal digits s starts with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
