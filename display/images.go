package display

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/stream"
)

// images writes every frame, untouched, to DIR/frame-00000001.jpg and so on. The
// numbers are its own, not the frames' (which wrap, and start anew with a sender),
// without gaps, and go on after those already there: nothing recorded earlier is
// lost or overwritten. A picture is written under another name and renamed when it
// is whole, so whoever reads the directory meanwhile sees no torn one.
type images struct {
	dir     string
	next    int // number of the next picture
	written atomic.Uint64
}

// partSuffix ends the name of a picture being written. staleAfter is the age at
// which one is what a killed recorder left: writing takes far less than a second.
const (
	partSuffix = ".part"
	staleAfter = time.Minute
)

func openImages(cfg Config, dir string) (*images, error) {
	s := &images{dir: dir}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("display: images cannot be recorded: %w", err)
	}
	last, err := s.scan()
	if err != nil {
		return nil, fmt.Errorf("display: images cannot be recorded: %w", err)
	}
	if s.next = last + 1; last > 0 {
		cfg.Log.Info("recording goes on after the images already there", "dir", dir, "next", s.next)
	}
	if err := s.probe(); err != nil {
		return nil, fmt.Errorf("display: images cannot be recorded: %w: choose a directory you can write to", err)
	}
	return s, nil
}

// scan returns the highest number in the directory, 0 in an empty one, and removes
// what a killed recorder left half-written.
func (s *images) scan() (last int, err error) {
	d, err := os.Open(s.dir)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1024) // a recording may hold millions
		for _, name := range names {
			last = max(last, imageNumber(name))
			if strings.HasPrefix(name, "frame-") && strings.HasSuffix(name, partSuffix) {
				removeStale(filepath.Join(s.dir, name))
			}
		}
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func removeStale(part string) {
	if i, err := os.Lstat(part); err == nil && i.Mode().IsRegular() && time.Since(i.ModTime()) > staleAfter {
		os.Remove(part)
	}
}

// imageNumber is the number in the name of a picture, 0 when it is none.
func imageNumber(name string) int {
	digits, ok := strings.CutPrefix(name, "frame-")
	digits, ok2 := strings.CutSuffix(digits, ".jpg")
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || !ok2 || err != nil {
		return 0
	}
	return int(n)
}

// probe finds out before the first frame whether the directory can be written to.
func (s *images) probe() error {
	f, err := os.CreateTemp(s.dir, "frame-*"+partSuffix)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (s *images) Write(_ context.Context, f *stream.Frame) error {
	if err := s.save(f.JPEG); err != nil {
		return fmt.Errorf("display: image not recorded: %w; those before it are kept", err)
	}
	s.written.Add(1)
	return nil
}

// save writes the next picture. Its unfinished file holds its number: it is created
// only where none exists, and only then is the number seen to be free, so that two
// recorders in one directory share the numbers and neither overwrites the other.
func (s *images) save(jpeg []byte) error {
	for ; ; s.next++ {
		name := filepath.Join(s.dir, fmt.Sprintf("frame-%08d.jpg", s.next))
		w, err := os.OpenFile(name+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := os.Lstat(name); err == nil {
			if err := errors.Join(w.Close(), os.Remove(name+partSuffix)); err != nil {
				return err
			}
			continue
		}
		if err := finish(w, name, jpeg); err != nil {
			return err
		}
		s.next++
		return nil
	}
}

// finish fills w and gives it its name, or removes it.
func finish(w *os.File, name string, jpeg []byte) error {
	_, err := w.Write(jpeg)
	if cerr := w.Close(); err == nil {
		err = cerr // a full disk can show here first (NFS, quotas)
	}
	if err == nil {
		err = os.Rename(name+partSuffix, name)
	}
	if err != nil {
		os.Remove(name + partSuffix)
	}
	return err
}

// Stats implements Reporter.
func (s *images) Stats() Stats { return Stats{Shown: s.written.Load()} }

func (s *images) Close() error { return nil }
