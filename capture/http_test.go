package capture

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
)

// serve starts a server for a test. wait makes a handler wait for the test's end.
func serve(t *testing.T, h func(w http.ResponseWriter, r *http.Request, wait func())) *httptest.Server {
	t.Helper()
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h(w, r, func() {
			w.(http.Flusher).Flush()
			select {
			case <-over:
			case <-r.Context().Done():
			}
		})
	}))
	t.Cleanup(func() { close(over); s.Close() })
	return s
}

// Every way in which cameras frame their pictures gives every picture, as soon as its
// last byte is there: the server sends no more until the test has taken it.
func TestHTTPFramings(t *testing.T) {
	pictures := greys(t, 4, 64, 48)
	thumb := slices.Concat(pictures[0][:2], []byte{0xFF, 0xE1, byte((len(pictures[1]) + 2) >> 8), byte(len(pictures[1]) + 2)}, pictures[1], pictures[0][2:])
	pictures = append(pictures, thumb) // one with another inside
	length := func(p []byte) string { return strconv.Itoa(len(p)) }
	for name, tt := range map[string]struct {
		contentType  string
		begin        string
		before, next func(p []byte) string
		close        bool // no chunks
	}{
		"framegram's page": {
			"multipart/x-mixed-replace; boundary=framegram", "--framegram\r\n",
			func(p []byte) string {
				return "Content-Type: image/jpeg\r\nContent-Length: " + length(p) + "\r\nX-Timestamp: 1732281600.123456\r\nX-Frame: 17\r\n\r\n"
			},
			func([]byte) string { return "\r\n--framegram\r\n" }, true,
		},
		"framegram's page for browsers": {
			"multipart/x-mixed-replace; boundary=framegram", "--framegram\r\nContent-Type: image/jpeg\r\n\r\n",
			func([]byte) string { return "" },
			func([]byte) string { return "\r\n--framegram\r\nContent-Type: image/jpeg\r\n\r\n" }, true,
		},
		"FFmpeg's mpjpeg": {
			"multipart/x-mixed-replace;boundary=ffmpeg", "--ffmpeg\r\n",
			func(p []byte) string { return "Content-type: image/jpeg\r\nContent-length: " + length(p) + "\r\n\r\n" },
			func([]byte) string { return "\r\n--ffmpeg\r\n" }, false,
		},
		"boundary with its dashes, next one late": {
			"multipart/x-mixed-replace; boundary=--myboundary", "",
			func(p []byte) string {
				return "\r\n--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: " + length(p) + "\r\n\r\n"
			},
			func([]byte) string { return "" }, false,
		},
		"another boundary than said": {
			`multipart/x-mixed-replace; boundary="a b`, "",
			func([]byte) string { return "--other\r\nContent-Type: image/jpeg\r\n\r\n" },
			func([]byte) string { return "" }, true,
		},
		"bare line feeds, no length": {
			"multipart/x-mixed-replace;boundary=x", "",
			func([]byte) string { return "\n--x\nContent-Type: image/jpeg\n\n" }, func([]byte) string { return "" }, false,
		},
		"wrong lengths": {
			"multipart/mixed; boundary=x", "",
			func([]byte) string { return "\r\n--x\r\nContent-Length: 99999\r\n\r\n" }, func([]byte) string { return "" }, false,
		},
		"JPEGs and nothing else":  {"image/jpeg", "", func([]byte) string { return "" }, func([]byte) string { return "" }, false},
		"no content type":         {"", "", func([]byte) string { return "" }, func([]byte) string { return "" }, true},
		"octets":                  {"application/octet-stream", "", func([]byte) string { return "--\r\n\r\n" }, func([]byte) string { return "" }, false},
		"upper case, parameters ": {"Multipart/X-Mixed-Replace ; Boundary=x; foo", "--x\r\n\r\n", func([]byte) string { return "" }, func([]byte) string { return "\r\n--x\r\n\r\n" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			taken := make(chan struct{})
			srv := serve(t, func(w http.ResponseWriter, r *http.Request, wait func()) {
				w.Header()["Content-Type"] = []string{tt.contentType}
				if tt.close {
					w.Header().Set("Transfer-Encoding", "identity")
				}
				io.WriteString(w, tt.begin)
				for _, p := range pictures {
					io.WriteString(w, tt.before(p))
					w.Write(p)
					io.WriteString(w, tt.next(p))
					w.(http.Flusher).Flush()
					select {
					case <-taken:
					case <-r.Context().Done():
					}
				}
				wait()
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			s := mustOpen(t, Config{Source: "mjpeg+" + srv.URL + "/stream"})
			for i, p := range pictures {
				f, err := nextShot(ctx, s)
				if err != nil {
					t.Fatalf("picture %d: %v", i, err)
				}
				if !bytes.Equal(f.jpeg, p) || f.id != uint32(i) {
					t.Errorf("picture %d is not as it was sent", i)
				}
				taken <- struct{}{}
			}
			if got := stats(s); got != (Stats{Pictures: 5}) {
				t.Errorf("got %+v", got)
			}
			if got := info(s); got.Name != "mjpeg+"+srv.URL+"/stream" || !got.Live {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A stream of JPEGs at an http:// address is read as one, without OpenCV.
func TestHTTPFindsJPEGs(t *testing.T) {
	want := greys(t, 1, 64, 48)[0]
	for _, kind := range []string{"multipart/x-mixed-replace; boundary=x", "image/jpeg"} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, wait func()) {
			w.Header().Set("Content-Type", kind)
			w.Write(want)
			wait()
		})
		if f := take(t, mustOpen(t, Config{Source: srv.URL}), 1)[0]; !bytes.Equal(f.jpeg, want) {
			t.Errorf("%s: the JPEG is not as it was sent", kind)
		}
	}
}

// basic asks for user "me" with password "p@ss:word/".
func basic(w http.ResponseWriter, r *http.Request) bool {
	if user, pass, ok := r.BasicAuth(); ok && user == "me" && pass == "p@ss:word/" {
		return true
	}
	w.Header().Add("WWW-Authenticate", `Basic realm="camera"`)
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

// digested is basic with Digest authentication as RFC 2617 has it, and Basic on offer,
// which must then not be taken.
func digested(t *testing.T) func(w http.ResponseWriter, r *http.Request) bool {
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	return func(w http.ResponseWriter, r *http.Request) bool {
		auth := r.Header.Get("Authorization")
		field := func(name string) string {
			_, rest, _ := strings.Cut(auth, " "+name+"=")
			value, _, _ := strings.Cut(rest, ",")
			return strings.Trim(value, `"`)
		}
		if strings.HasPrefix(auth, "Basic") {
			t.Error("the password was sent in the clear although Digest was offered")
		}
		want := hash(hash("me:camera:p@ss:word/") + ":nonce1:" + field("nc") + ":" + field("cnonce") + ":auth:" + hash("GET:"+r.URL.RequestURI()))
		if strings.HasPrefix(auth, "Digest ") && field("response") == want && field("uri") == r.URL.RequestURI() {
			return true
		}
		w.Header().Add("WWW-Authenticate", `Basic realm="camera"`)
		w.Header().Add("WWW-Authenticate", `Digest realm="camera", nonce="nonce1", qop="auth", algorithm=MD5`)
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
}

func TestHTTPPasswords(t *testing.T) {
	want := greys(t, 1, 64, 48)[0]
	for name, allowed := range map[string]func(http.ResponseWriter, *http.Request) bool{"basic": basic, "digest": digested(t)} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request, wait func()) {
				if r.URL.Path == "/moved" {
					http.Redirect(w, r, "/stream?channel=1", http.StatusFound)
					return
				}
				if !allowed(w, r) {
					return
				}
				w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
				w.Write(want)
				wait()
			})
			var log logBuffer
			for _, path := range []string{"/stream?channel=1", "/moved"} {
				with := strings.Replace(srv.URL, "http://", "mjpeg+http://me:p%40ss%3Aword%2F@", 1) + path
				s := mustOpen(t, Config{Source: with, Log: log.log()})
				if f := take(t, s, 1)[0]; !bytes.Equal(f.jpeg, want) {
					t.Error("the JPEG is not as it was sent")
				}
				if got := info(s).Name; strings.Contains(got, "ss") && !strings.HasPrefix(got, "mjpeg+http://127.0.0.1:") || strings.Contains(got, "channel=1") {
					t.Errorf("it calls itself %s", got)
				}
			}
			for user, want := range map[string]string{
				"":                  "it wants a user and a password: say mjpeg+http://USER:PASSWORD@127.0.0.1:",
				"me:secret@":        "does not accept the user and password",
				"other:p%40secret@": "does not accept the user and password",
			} {
				_, err := Open(t.Context(), Config{Source: strings.Replace(srv.URL, "http://", "mjpeg+http://"+user, 1) + "/stream"})
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "401 Unauthorized") || strings.Contains(err.Error(), "secret") {
					t.Errorf("as %q: got %v, want %q", user, err, want)
				}
			}
			if strings.Contains(log.String(), "ss:word") || strings.Contains(log.String(), "p%40ss") {
				t.Errorf("the log shows the password:\n%s", &log)
			}
		})
	}
}

// No other host learns the password.
func TestHTTPPasswordStaysAtItsHost(t *testing.T) {
	var asked atomic.Int32
	other := serve(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Errorf("the other host is told %q", r.Header.Get("Authorization"))
		}
		w.Header().Set("WWW-Authenticate", "Basic realm=x")
		w.WriteHeader(http.StatusUnauthorized)
	})
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
		http.Redirect(w, r, elsewhere, http.StatusFound)
	})
	_, err := Open(t.Context(), Config{Source: strings.Replace(srv.URL, "http://", "mjpeg+http://me:secret@", 1)})
	if err == nil || !strings.Contains(err.Error(), "redirects to "+elsewhere+", which wants a password") || asked.Load() != 1 {
		t.Errorf("got %v after %d questions", err, asked.Load())
	}
}

func TestHTTPThatCannotBeOpened(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told that its certificate is bad
	tls.StartTLS()
	defer tls.Close()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
		kind := map[string]string{
			"/page": "text/html; charset=utf-8", "/png": "image/png", "/mp4": "video/mp4", "/one.jpg": "image/jpeg",
		}[r.URL.Path]
		switch r.URL.Path {
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/teapot":
			w.Header().Set("WWW-Authenticate", "Strange realm=x")
			w.WriteHeader(http.StatusUnauthorized)
		default:
			if kind == "" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hello")
		}
	})
	with := strings.Replace(srv.URL, "http://", "http://me:secret@", 1)
	for source, want := range map[string]string{
		srv.URL + "/gone":              "answers 404 Not Found: there is nothing at this path",
		"mjpeg+" + srv.URL + "/gone":   "answers 404 Not Found: there is nothing at this path",
		"mjpeg+" + srv.URL + "/busy":   "answers 503 Service Unavailable",
		with + "/forbidden":            "answers 403 Forbidden: it does not let",
		with + "/teapot":               "neither by Basic nor by Digest",
		srv.URL + "/page":              "sends text/html, which is no video",
		"mjpeg+" + srv.URL + "/png":    "sends image/png, which is no video",
		"mjpeg+" + srv.URL + "/mp4":    "sends video/mp4, which is no stream of JPEGs: try http://",
		srv.URL + "/one.jpg":           "sends a single picture",
		"mjpeg+" + with + "/round?a=b": "redirects more than 5 times",
		"mjpeg+" + closed:              "cannot be reached: dial tcp 127.0.0.1",
		closed:                         "connection refused",
		"mjpeg+" + tls.URL:             "certificate that this machine does not trust",
		"mjpeg+https://127.0.0.1" + strings.TrimPrefix(closed, "http://127.0.0.1"): "cannot be reached",
	} {
		s, err := Open(t.Context(), Config{Source: source})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", source)
			continue
		}
		var config *ConfigError
		if !strings.HasPrefix(err.Error(), "capture: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "a=b") || errors.As(err, &config) {
			t.Errorf("%s: got %v, want %q", source, err, want)
		}
	}
}

// What breaks off within a picture is counted, and the stream goes on with the next
// connection.
func TestHTTPBreaksOff(t *testing.T) {
	pictures := greys(t, 3, 640, 480)
	var times atomic.Int32
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, wait func()) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
		switch times.Add(1) {
		case 1: // a whole picture, then half of one
			w.Write(pictures[0])
			fmt.Fprintf(w, "\r\n--x\r\nContent-Length: %d\r\n\r\n", len(pictures[1]))
			w.Write(pictures[1][:len(pictures[1])/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 2:
			http.NotFound(w, r)
		default:
			io.WriteString(w, "some words") // between the pictures: passed over
			w.Write(pictures[2])
			wait()
		}
	})
	var log logBuffer
	s := mustOpen(t, Config{Source: "mjpeg+" + srv.URL, Log: log.log()})
	all := take(t, s, 1)
	for !bytes.Equal(all[len(all)-1].jpeg, pictures[2]) {
		if len(all) > 20 {
			t.Fatal("it does not come back")
		}
		all = append(all, take(t, s, 1)...)
	}
	for i, f := range all {
		if f.id != uint32(i) {
			t.Fatalf("the IDs are %s", ids(all))
		}
	}
	if got, want := stats(s), (Stats{Pictures: 3, Damaged: 1, Reopened: 1, Placeholder: uint64(len(all) - 2), Garbage: stats(s).Garbage}); got != want || got.Garbage < uint64(len(pictures[1])/2) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	balanced(t, s, len(all))
	if !strings.Contains(log.String(), "404 Not Found") {
		t.Errorf("the log does not say why it took long:\n%s", &log)
	}
}

func TestHTTPBoundsAPicture(t *testing.T) {
	large, small := encode(t, noisy(400, 300), 100), greys(t, 1, 64, 48)[0]
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, wait func()) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
		w.Write(slices.Concat(large, small))
		wait()
	})
	s := mustOpen(t, Config{Source: "mjpeg+" + srv.URL, MaxFrame: 20000})
	if f := take(t, s, 1)[0]; !bytes.Equal(f.jpeg, small) {
		t.Error("the picture within the limit did not come through")
	}
	if got := stats(s); got.Pictures != 2 || got.Damaged != 1 {
		t.Errorf("got %+v", got)
	}
}

// A server that stops sending is left after 5 s; one that never answers is not waited
// for when the context ends.
func TestHTTPStalls(t *testing.T) {
	picture := greys(t, 1, 64, 48)[0]
	var times atomic.Int32
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, wait func()) {
		times.Add(1)
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
		w.Write(picture)
		wait()
	})
	s := mustOpen(t, Config{Source: "mjpeg+" + srv.URL})
	take(t, s, 1)
	start := time.Now()
	for times.Load() < 2 && time.Since(start) < time.Minute {
		take(t, s, 1)
	}
	if d := time.Since(start); d < stallAfter {
		t.Errorf("it was left after %v, want %v", d, stallAfter)
	}

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	why := errors.New("enough")
	for _, source := range []string{"mjpeg+http://", "http://", "rtsp://"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		var ended atomic.Int64
		time.AfterFunc(100*time.Millisecond, func() { ended.Store(time.Now().UnixNano()); cancel(why) })
		_, err := Open(ctx, Config{Source: source + silent.Addr().String()})
		if errors.Is(err, ErrNoOpenCV) {
			continue
		}
		if late := time.Now().UnixNano() - ended.Load(); err != why || late > int64(time.Second) {
			t.Errorf("%s: got %v, %v after the end of the context", source, err, time.Duration(late))
		}
	}
}

// A server that sends bytes without end and no picture is left as well, and the bytes
// are counted.
func TestHTTPWithoutPictures(t *testing.T) {
	picture := greys(t, 1, 64, 48)[0]
	var times atomic.Int32
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, wait func()) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(picture)
		if times.Add(1) > 1 {
			wait()
			return
		}
		for r.Context().Err() == nil {
			io.WriteString(w, strings.Repeat("X-Endless: header\r\n", 1000))
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	var log logBuffer
	cfg, err := Config{Log: log.log()}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseAddress("mjpeg+" + srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := newHTTPSource(a, cfg)
	h.quiet = time.Second
	start := time.Now()
	s, err := openAgain(t.Context(), cfg, a.shown, h.open)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := 0; n < 2; {
		if bytes.Equal(take(t, s, 1)[0].jpeg, picture) {
			n++
		}
	}
	if st := stats(s); time.Since(start) < perPicture*h.quiet || st.Reopened != 1 || st.Garbage < 1<<20 || !strings.Contains(log.String(), errStalled.Error()) {
		t.Errorf("after %v: %+v, the log:\n%s", time.Since(start), st, &log)
	}
}

// FFmpeg's own server of multipart JPEGs, at the clip's speed.
func TestHTTPFromFFmpeg(t *testing.T) {
	ffmpeg := testutil.Need(t, "ffmpeg")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-re", "-i", smallMP4(t), "-an",
		"-f", "mpjpeg", "-q:v", "5", "-listen", "1", "http://"+addr+"/")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	s, err := Open(t.Context(), Config{Source: "mjpeg+http://" + addr + "/"})
	for start := time.Now(); err != nil && time.Since(start) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		s, err = Open(t.Context(), Config{Source: "mjpeg+http://" + addr + "/"})
	}
	if err != nil {
		t.Fatalf("%v; ffmpeg says %s", err, &said)
	}
	defer s.Close()
	start := time.Now()
	all := take(t, s, 60)
	took := time.Since(start)
	for _, f := range all {
		if img := decode(t, f.jpeg); img.Rect.Dx() != 560 || img.Rect.Dy() != 320 {
			t.Fatalf("frame %d is %v", f.id, img.Rect)
		}
	}
	if st := stats(s); st.Damaged > 0 || st.Placeholder > 0 || took < time.Second {
		t.Errorf("60 frames took %v: %+v", took, st)
	}
}
