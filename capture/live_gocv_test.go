//go:build cgo && !nocv

package capture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// clipAsTS is the clip as an MPEG transport stream that goes on for ever, at its own
// speed, until ctx is done.
func clipAsTS(ctx context.Context, t *testing.T) io.Reader {
	ffmpeg := testutil.Need(t, "ffmpeg")
	cmd := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-re", "-stream_loop", "-1", "-i", smallMP4(t), "-an",
		"-c:v", "mpeg2video", "-b:v", "2M", "-g", "10", "-f", "mpegts", "-flush_packets", "1", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
	}
	context.AfterFunc(ctx, func() { cmd.Wait() })
	return out
}

// rtspCamera is as much of an RTSP server as a player over TCP needs (RFC 2326): it
// gives the clip as a transport stream in RTP packets (RFC 2250), interleaved with the
// answers.
type rtspCamera struct {
	t    *testing.T
	l    net.Listener
	mu   sync.Mutex
	conn []net.Conn
	all  sync.WaitGroup
}

func newRTSPCamera(t *testing.T) *rtspCamera {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &rtspCamera{t: t, l: l}
	c.all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conn = append(c.conn, conn)
			c.mu.Unlock()
			c.all.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); c.drop(); c.all.Wait() })
	return c
}

// drop ends all connections.
func (c *rtspCamera) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conn {
		conn.Close()
	}
	c.conn = nil
}

func (c *rtspCamera) serve(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	r := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		h, err := r.ReadMIMEHeader()
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(line, " ")
		more, sdp := "", ""
		switch method {
		case "OPTIONS":
			more = "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
		case "DESCRIBE":
			if h.Get("Authorization") != "Basic bWU6cEBzcw==" { // me:p@ss
				fmt.Fprintf(conn, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\r\n", h.Get("CSeq"))
				continue
			}
			sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=clip\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n"
			more = fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(sdp))
		case "SETUP":
			if !strings.Contains(h.Get("Transport"), "TCP") {
				c.t.Errorf("asked for %s, want TCP", h.Get("Transport"))
			}
			more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
		}
		fmt.Fprintf(conn, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n%s\r\n%s", h.Get("CSeq"), more, sdp)
		if method == "PLAY" {
			go io.Copy(io.Discard, conn)
			c.play(conn, clipAsTS(ctx, c.t))
			return
		}
	}
}

func (c *rtspCamera) play(conn net.Conn, ts io.Reader) {
	const payload = 7 * 188
	start, p := time.Now(), make([]byte, 4+12+payload)
	for seq := uint16(0); ; seq++ {
		if _, err := io.ReadFull(ts, p[16:]); err != nil {
			return
		}
		p[0], p[1], p[4], p[5] = '$', 0, 0x80, 33
		binary.BigEndian.PutUint16(p[2:], 12+payload)
		binary.BigEndian.PutUint16(p[6:], seq)
		binary.BigEndian.PutUint32(p[8:], uint32(time.Since(start).Seconds()*90000))
		if _, err := conn.Write(p); err != nil {
			return
		}
	}
}

// reallyShows takes frames until n in a row are pictures of the clip.
func reallyShows(t *testing.T, next func() shot, n int) (all []shot) {
	t.Helper()
	for row, start := 0, time.Now(); row < n; {
		if time.Since(start) > time.Minute {
			t.Fatalf("no %d pictures in a row within a minute: frames %s", n, ids(all))
		}
		f := next()
		all = append(all, f)
		img, lit := decode(t, f.jpeg), 0
		if img.Rect.Size() != image.Pt(560, 320) {
			t.Fatalf("frame %d is %v", f.id, img.Rect)
		}
		for x := range 560 { // the placeholder has nothing down there
			if img.YCbCrAt(x, 310).Y > 40 {
				lit++
			}
		}
		if row++; lit < 100 {
			row = 0
		}
	}
	return all
}

func TestRTSPThroughOpenCV(t *testing.T) {
	cam := newRTSPCamera(t)
	var log logBuffer
	with := "rtsp://me:p%40ss@" + cam.l.Addr().String() + "/cam"
	s := mustOpen(t, Config{Source: with, Log: log.log()})
	if got := info(s); got.Name != "rtsp://"+cam.l.Addr().String()+"/cam" || got.Size != image.Pt(560, 320) || !got.Live {
		t.Errorf("got %+v", got)
	}
	next := func() shot { return take(t, s, 1)[0] }
	all := reallyShows(t, next, 30)
	start := time.Now()
	all = append(all, take(t, s, 30)...)
	if d := time.Since(start); d < 700*time.Millisecond {
		t.Errorf("30 frames took %v: they are not taken as they come", d)
	}
	cam.drop()
	all = append(all, reallyShows(t, next, 10)...)
	for stats(s).Reopened == 0 {
		all = append(all, reallyShows(t, next, 10)...)
	}
	for i, f := range all[1:] {
		if f.id <= all[i].id {
			t.Fatalf("the IDs are %s", ids(all))
		}
	}
	if strings.Contains(log.String(), "ss@") {
		t.Errorf("the log shows the password:\n%s", &log)
	}
}

func TestHTTPVideoThroughOpenCV(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
		if r.URL.Path == "/clip.mp4" {
			http.ServeFile(w, r, smallMP4(t))
			return
		}
		w.Header().Set("Content-Type", "video/mp2t")
		io.Copy(flushing{w}, clipAsTS(r.Context(), t))
	})
	s, err := Open(t.Context(), Config{Source: srv.URL + "/live"})
	if err != nil {
		t.Fatal(err)
	}
	s = closedOnce(t, s)
	reallyShows(t, func() shot { return take(t, s, 1)[0] }, 30)
	if got := info(s); !got.Live || got.Size != image.Pt(560, 320) {
		t.Errorf("got %+v", got)
	}
	s.Close()

	// A file is played, once, at its own speed.
	start := time.Now()
	s = mustOpen(t, Config{Source: srv.URL + "/clip.mp4"})
	if got := info(s); got.Live || got.FPS != 30 {
		t.Errorf("got %+v", got)
	}
	n := 0
	for {
		f, err := s.Next(t.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
		n++
	}
	if d := time.Since(start); n < 100 || uint64(n)+stats(s).Late != 166 || d < 5*time.Second {
		t.Errorf("%d frames in %v, %+v; want 166 in 5.5 s", n, d, stats(s))
	}
}

type flushing struct{ w http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.w.(http.Flusher).Flush()
	return n, err
}

// What is no video is said to be none.
func TestHTTPNoVideo(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ func()) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(bytes.Repeat([]byte("this is no video\n"), 1000))
	})
	_, err := Open(t.Context(), Config{Source: srv.URL})
	if err == nil || !strings.Contains(err.Error(), "sends application/octet-stream, but OpenCV cannot play") {
		t.Errorf("got %v", err)
	}
}

// OpenCV's own V4L2, asked for what is no camera.
func TestCameraThroughOpenCVThatIsNone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("another system has cameras of its own")
	}
	cfg, _ := Config{}.withDefaults()
	c := &camera{cfg: cfg, name: "camera:0", path: "/dev/null"}
	_, err := openCameraCV(c, new(counters), "Fake", []Format{{FourCC: "YUYV"}})
	if err == nil || !strings.Contains(err.Error(), "camera:0 (/dev/null) cannot be opened by OpenCV") || !strings.Contains(err.Error(), "it has YUYV") {
		t.Errorf("got %v", err)
	}
}
