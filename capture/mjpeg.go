package capture

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/stream"
)

// mjpeg is a stream of JPEGs one after the other. What stands between them, such as
// the headers of a multipart message, is passed over.
type mjpeg struct {
	*jpegs
	r      io.Reader
	max    int                   // bytes of a JPEG
	framed bool                  // bytes between JPEGs are no garbage
	came   func()                // called when there was a picture; may be nil
	ended  func() error          // what the end means; nil: r begins anew
	fail   func(err error) error // says where an error happened

	scan  *codec.Scanner
	seen  codec.ScannerStats // accounted for
	loose int64              // bytes since the last picture that are not; framed only
	any   bool               // there was a picture; framed only
}

// maxFraming is how many bytes may stand between two pictures and still be their
// framing: some cameras put a part with what they know of the scene there.
const maxFraming = 64 << 10

func (in *input) openMJPEG() (stream.Source, error) {
	m := &mjpeg{
		jpegs: &jpegs{counters: new(counters), info: in.info("mjpeg", 0), log: in.cfg.Log},
		r:     in.r, max: in.cfg.MaxFrame,
		came: func() { in.empty = false }, ended: in.ended, fail: in.fail,
	}
	return jpegSource(m.start(in.thin()), in.cfg)
}

func (m *mjpeg) start(thin float64) *jpegs {
	m.read = m.nextJPEG
	m.name = func() string { return fmt.Sprint(m.pictures.Load()) }
	m.rescan()
	return m.jpegs.start(thin)
}

func (m *mjpeg) rescan() {
	m.scan, m.seen = codec.NewScanner(m, m.max), codec.ScannerStats{}
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
	n, err := m.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) { // for nextJPEG, that is the scanner's word
		err = fmt.Errorf("it broke off: %v", err)
	}
	return n, err
}

func (m *mjpeg) nextJPEG(dst []byte) ([]byte, error) {
	for {
		jpeg, err := m.scan.Next(dst)
		m.account()
		switch {
		case err == nil:
			m.loose, m.any = 0, true
			if m.came != nil {
				m.came()
			}
			return jpeg, nil
		case err == io.EOF:
			m.leave()
			if err := m.ended(); err != nil {
				return dst, err
			}
			m.rescan()
		case !errors.Is(err, io.ErrUnexpectedEOF): // that one is accounted for; io.EOF follows
			m.leave()
			return dst, m.fail(err)
		}
	}
}

// account counts what the scanner has skipped, and says so at most once a second.
func (m *mjpeg) account() {
	now := m.scan.Stats()
	was := m.seen
	m.seen = now
	damaged := now.TooLarge - was.TooLarge + now.Broken - was.Broken
	skipped := now.Skipped - was.Skipped
	if m.framed {
		m.loose += skipped
		if damaged == 0 && m.loose <= maxFraming {
			return
		}
		skipped, m.loose = m.loose, 0
	}
	if now == was {
		return
	}
	m.garbage.Add(uint64(skipped))
	for range damaged {
		m.damage()
	}
	if m.saidInput.ok() {
		m.log.Warn("input skipped: it belongs to no usable JPEG", slog.String("input", m.info.Name),
			slog.Int64("bytes", now.Skipped), slog.Int64("too_large", now.TooLarge), slog.Int64("broken", now.Broken),
			slog.Int("max_frame_bytes", m.max))
	}
}

// leave counts, at the end, what stood in a stream without one picture.
func (m *mjpeg) leave() {
	if !m.any {
		m.garbage.Add(uint64(m.loose))
	}
	m.loose = 0
}
