package display

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/framegram/framegram/stream"
)

// boundary stands between the parts of the stream.
const boundary = "framegram"

// serveStream sends frames until the viewer or the display leaves:
//
//	--framegram
//	Content-Type: image/jpeg
//	Content-Length: 41234
//	X-Timestamp: 1732281600.123456
//	X-Frame: 17
//
//	(the JPEG)
//	--framegram
//
// X-Timestamp is the capture time in seconds since 1970, X-Frame the frame's ID. A
// part is followed by the next boundary at once, since many a reader only then knows
// that it has the whole of it. There is no closing delimiter: the connection ends.
func (w *web) serveStream(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	h.Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// Chunks would be one more thing for a simple reader to know (RFC 9112 section
	// 7.1), and the stream's end is the connection's anyway.
	h.Set("Transfer-Encoding", "identity")
	if r.Method == http.MethodHead {
		return
	}
	box := w.join()
	if box == nil {
		h.Del("Transfer-Encoding")
		h.Set("Retry-After", "5")
		http.Error(rw, "framegram: too many viewers, try again later", http.StatusServiceUnavailable)
		return
	}
	defer w.leave(box)

	conn := http.NewResponseController(rw)
	if conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	p := parts{out: rw, conn: conn, patience: w.patience, early: wantsImage(r)}
	err := p.begin()
	for err == nil {
		var f *stream.Frame
		if f, err = box.Take(r.Context()); f != nil {
			err = p.write(f)
			f.Release()
		}
	}
	w.log.Debug("viewer left", "addr", r.RemoteAddr, "reason", err)
}

// wantsImage reports whether a browser asks on behalf of an image element.
func wantsImage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "image/") }

// parts writes frames as the parts of a multipart message.
//
// Chromium shows a part only when it has read the header of the next one (seen with
// version 156 in November 2026: without it, pictures are one frame late). With early
// set, every part is therefore followed by the next one's header, which then cannot
// tell the length; browsers do not need it, and others do better with it.
type parts struct {
	out      io.Writer
	conn     *http.ResponseController
	patience time.Duration
	early    bool
	head     []byte // scratch
}

func (p *parts) begin() error {
	p.head = p.delimiter(p.head[:0])
	return p.flush(p.head)
}

func (p *parts) write(f *stream.Frame) error {
	p.head = p.head[:0]
	if !p.early {
		p.head = appendHeader(p.head, f)
	}
	n := len(p.head)
	p.head = p.delimiter(append(p.head, "\r\n"...))
	return p.flush(p.head[:n], f.JPEG, p.head[n:])
}

// flush writes all, or fails when that takes longer than the viewer may take.
func (p *parts) flush(all ...[]byte) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(p.patience)); err != nil {
		return err
	}
	for _, b := range all {
		if _, err := p.out.Write(b); err != nil {
			return err
		}
	}
	return p.conn.Flush()
}

func (p *parts) delimiter(b []byte) []byte {
	b = append(b, "--"+boundary+"\r\n"...)
	if p.early {
		b = append(b, "Content-Type: image/jpeg\r\n\r\n"...)
	}
	return b
}

func appendHeader(b []byte, f *stream.Frame) []byte {
	b = append(b, "Content-Type: image/jpeg\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(f.JPEG)), 10)
	b = append(b, "\r\nX-Timestamp: "...)
	b = append(b, timestamp(f.Captured)...)
	b = append(b, "\r\nX-Frame: "...)
	b = strconv.AppendUint(b, uint64(f.ID), 10)
	return append(b, "\r\n\r\n"...)
}

// timestamp is t in seconds since 1970, to the microsecond.
func timestamp(t time.Time) string {
	us := t.UnixMicro()
	if t.IsZero() {
		us = 0
	}
	return strconv.FormatFloat(float64(us)/1e6, 'f', 6, 64)
}
