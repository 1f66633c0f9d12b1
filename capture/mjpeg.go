package capture

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// mjpeg is a stream of concatenated JPEGs.
type mjpeg struct {
	*jpegs
	in   *input
	scan *codec.Scanner
	seen codec.ScannerStats // accounted for
	said seldom
}

func (in *input) openMJPEG() (stream.Source, error) {
	m := &mjpeg{
		jpegs: &jpegs{counters: new(counters), info: in.info("mjpeg", 0), log: in.cfg.Log},
		in:    in,
	}
	m.read = m.nextJPEG
	m.name = func() string { return fmt.Sprint(m.pictures.Load()) }
	m.rescan()
	return jpegSource(m.start(in.thin()), in.cfg)
}

func (m *mjpeg) rescan() {
	m.scan, m.seen = codec.NewScanner(m, m.in.cfg.MaxFrame), codec.ScannerStats{}
}

// Read is what the scanner reads from. It is called when the scanner has found no
// picture in what it has, so that rubbish without end is reported too.
func (m *mjpeg) Read(p []byte) (int, error) {
	select {
	case <-m.feed.quit:
		return 0, io.EOF // even if rubbish keeps coming
	default:
	}
	m.account()
	return m.in.r.Read(p)
}

func (m *mjpeg) nextJPEG(dst []byte) ([]byte, error) {
	for {
		jpeg, err := m.scan.Next(dst)
		m.account()
		switch {
		case err == nil:
			m.in.empty = false
			return jpeg, nil
		case err == io.EOF:
			if err := m.in.ended(); err != nil {
				return dst, err
			}
			m.rescan()
		case !errors.Is(err, io.ErrUnexpectedEOF): // that one is accounted for; io.EOF follows
			return dst, m.in.fail(err)
		}
	}
}

// account counts what the scanner has skipped, and says so at most once a second.
func (m *mjpeg) account() {
	now := m.scan.Stats()
	if now == m.seen {
		return
	}
	m.garbage.Add(uint64(now.Skipped - m.seen.Skipped))
	for range now.TooLarge - m.seen.TooLarge + now.Broken - m.seen.Broken {
		m.damage()
	}
	m.seen = now
	if m.said.ok() {
		m.log.Warn("input skipped: it belongs to no usable JPEG", slog.String("input", m.in.name),
			slog.Int64("bytes", now.Skipped), slog.Int64("too_large", now.TooLarge), slog.Int64("broken", now.Broken),
			slog.Int("max_frame_bytes", m.in.cfg.MaxFrame))
	}
}
