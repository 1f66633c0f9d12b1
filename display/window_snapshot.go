//go:build cgo && !nocv

package display

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/framegram/framegram/stream"
)

// snapshots writes single frames as files, untouched: each in a goroutine of its own,
// so that a slow disk does not hold up the picture, and one at a time.
type snapshots struct {
	dir     string
	log     *slog.Logger
	notify  func(string)
	failed  seldom      // the key may be held down; used by the writing goroutine, of which there is one at a time
	outcome chan string // of the one being written, closed when all about it is done; else nil
}

// snapshotGrace is what the end leaves a snapshot to be written. Ctrl-C must end a
// command within a second.
const snapshotGrace = 500 * time.Millisecond

// save begins to write f, and returns what to tell the user at once, if anything.
func (s *snapshots) save(f *stream.Frame) string {
	switch {
	case f == nil:
		return "there is no picture yet"
	case s.outcome != nil:
		return "the last picture is still being saved"
	}
	s.outcome = make(chan string, 1)
	go s.run(f.Retain(), s.outcome)
	return ""
}

// run tells the window first, which never waits, and then the user, which may.
func (s *snapshots) run(f *stream.Frame, outcome chan<- string) {
	defer close(outcome)
	defer f.Release()
	path, err := saveNew(s.dir, snapshotTime(f), f.JPEG)
	if err != nil {
		outcome <- "not saved: " + reason(err)
		if s.failed.now() {
			s.log.Warn("the picture was not saved", "error", err)
		}
		return
	}
	outcome <- "saved " + filepath.Base(path)
	s.notify("saved " + path)
}

// news is how a snapshot ended, "" while there is nothing new. It never waits.
func (s *snapshots) news() string {
	select {
	case text, open := <-s.outcome:
		if !open {
			s.outcome = nil
		}
		return text
	default: // also when there is none
		return ""
	}
}

// Close waits for what is being written.
func (s *snapshots) Close() error {
	if s.outcome == nil {
		return nil
	}
	limit := time.After(snapshotGrace)
	for {
		select {
		case _, open := <-s.outcome:
			if !open {
				return nil
			}
		case <-limit:
			return fmt.Errorf("display: a picture was still being saved in %s after %v, and may be torn", cmp.Or(s.dir, "the current directory"), snapshotGrace)
		}
	}
}

// snapshotTime is when f was captured, now where that is unknown.
func snapshotTime(f *stream.Frame) time.Time {
	if f.Captured.IsZero() {
		return time.Now()
	}
	return f.Captured.Local()
}

// maxSameTime bounds the pictures of one millisecond.
const maxSameTime = 1000

// saveNew writes jpeg to a new file in dir, which it makes, and returns its path.
// Nothing is overwritten: where the name for the time is taken, -2, -3 and so on
// follow it.
func saveNew(dir string, at time.Time, jpeg []byte) (string, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", err
		}
	}
	stem := filepath.Join(dir, "framegram-"+at.Format("20060102-150405.000"))
	for n := 1; ; n++ {
		path := stem + ".jpg"
		if n > 1 {
			path = fmt.Sprintf("%s-%d.jpg", stem, n)
		}
		w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && n < maxSameTime {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = w.Write(jpeg)
		if err = errors.Join(err, w.Close()); err != nil { // a full disk can show at the end first (NFS, quotas)
			os.Remove(path)
			return "", err
		}
		return path, nil
	}
}

// reason is the part of err that fits into a picture: without the path.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
