package display

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"log/slog"
	"math"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

// openPage serves a page on a free port until the test ends.
func openPage(t testing.TB, cfg Config) *web {
	t.Helper()
	cfg.Kind, cfg.WebAddr = "web", "127.0.0.1:0"
	w := openTest(t, cfg).(*web)
	t.Cleanup(func() { w.Close() })
	return w
}

// address is where the page is, for net.Dial.
func (w *web) address() string { return strings.Trim(w.url, "htp:/") }

// get fetches a path and returns the answer with its body.
func get(t testing.TB, w *web, path string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.Get(w.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, b
}

// viewer reads /stream.mjpg as a program would.
type viewer struct {
	t     testing.TB
	body  io.ReadCloser
	parts *multipart.Reader
}

func watch(t testing.TB, w *web) *viewer {
	t.Helper()
	r, err := http.Get(w.URL() + "stream.mjpg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/x-mixed-replace" || r.StatusCode != http.StatusOK {
		t.Fatalf("got %s, %q, %v", r.Status, r.Header.Get("Content-Type"), err)
	}
	return &viewer{t, r.Body, multipart.NewReader(r.Body, params["boundary"])}
}

// next returns the next part, checked against what its header says.
func (v *viewer) next() (id int, jpeg []byte) {
	v.t.Helper()
	p, err := v.parts.NextPart()
	if err != nil {
		v.t.Fatal(err)
	}
	b, err := io.ReadAll(p)
	if err != nil {
		v.t.Fatal(err)
	}
	if p.Header.Get("Content-Type") != "image/jpeg" || p.Header.Get("Content-Length") != strconv.Itoa(len(b)) {
		v.t.Errorf("part of %d bytes has the header %v", len(b), p.Header)
	}
	id, err = strconv.Atoi(p.Header.Get("X-Frame"))
	if err != nil {
		v.t.Error(err)
	}
	return id, b
}

func (w *web) waitViewers(t testing.TB, n int) {
	t.Helper()
	waitFor(t, fmt.Sprintf("%d viewers", n), func() bool { got, _ := w.watched(); return got == n })
}

func TestStream(t *testing.T) {
	w := openPage(t, Config{})
	var fs frames
	v := watch(t, w)
	w.waitViewers(t, 1)
	for i := range 20 {
		// Bytes that look like a boundary belong to the picture all the same.
		jpeg := fmt.Appendf(nil, "\xff\xd8 picture %d \r\n--framegra %s", i, strings.Repeat("x", 5000*i))
		before := time.Now().Truncate(time.Microsecond)
		if err := fs.write(t, w, jpeg); err != nil {
			t.Fatal(err)
		}
		p, err := v.parts.NextPart() // arrives now, not with the next frame
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, jpeg) {
			t.Fatalf("frame %d: got %d bytes of %d, or others; %v", i, len(got), len(jpeg), err)
		}
		seconds, err := strconv.ParseFloat(p.Header.Get("X-Timestamp"), 64)
		captured := time.UnixMicro(int64(math.Round(seconds * 1e6)))
		if err != nil || captured.Before(before) || captured.After(time.Now()) || p.Header.Get("X-Frame") != strconv.Itoa(i) {
			t.Errorf("frame %d of %v: got the header %v", i, before, p.Header)
		}
	}
	if got := w.Stats(); got != (Stats{Shown: 20, Viewers: 1}) {
		t.Errorf("got %+v", got)
	}
}

// The bytes on the wire, once for programs and once for image elements of browsers:
// those want the next part's header before they show a part.
func TestStreamBytes(t *testing.T) {
	for accept, want := range map[string]string{
		"*/*":                             "--framegram\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\nX-Timestamp: 1.500000\r\nX-Frame: 7\r\n\r\nJPEG\r\n--framegram\r\n",
		"image/avif,image/webp,*/*;q=0.8": "--framegram\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--framegram\r\nContent-Type: image/jpeg\r\n\r\n",
	} {
		w := openPage(t, Config{})
		f := stream.NewFrame([]byte("JPEG"))
		f.ID, f.Captured = 7, time.UnixMilli(1500)
		if err := w.Write(t.Context(), f); err != nil { // it awaits who joins
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", w.address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\n\r\n", accept)
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r.Body, got); err != nil || string(got) != want {
			t.Errorf("Accept %q: got %q, %v, want %q", accept, got, err, want)
		}
		if len(r.TransferEncoding) > 0 || r.ContentLength >= 0 {
			t.Errorf("Accept %q: encoded as %v, %d bytes long: want neither", accept, r.TransferEncoding, r.ContentLength)
		}
		w.Close()
		if rest, err := io.ReadAll(r.Body); err != nil || len(rest) > 0 {
			t.Errorf("Accept %q: it ends with %q, %v", accept, rest, err)
		}
	}
}

// A viewer who does not read misses frames; one who does gets all of them, and the
// sink waits for neither.
func TestSlowViewerSkips(t *testing.T) {
	w := openPage(t, Config{})
	slow, fast := watch(t, w), watch(t, w)
	w.waitViewers(t, 2)
	var fs frames
	const count = 150
	jpeg := make([]byte, 200e3) // 30 MB, more than any socket takes
	for i := range count {
		if err := fs.write(t, w, jpeg); err != nil {
			t.Fatal(err)
		}
		if id, b := fast.next(); id != i || len(b) != len(jpeg) {
			t.Fatalf("the fast viewer got frame %d of %d bytes, want %d", id, len(b), i)
		}
	}
	last, n := -1, 0
	for ; last != count-1; n++ { // what waited is in order, and ends with the newest
		id, b := slow.next()
		if id <= last || len(b) != len(jpeg) {
			t.Fatalf("the slow viewer got frame %d of %d bytes after %d", id, len(b), last)
		}
		last = id
	}
	stats := w.Stats()
	if stats.ViewerSkipped == 0 || int(stats.ViewerSkipped) != count-n {
		t.Errorf("the slow viewer got %d of %d frames, and %d are counted as skipped", n, count, stats.ViewerSkipped)
	}
	// Freshness ends in no socket, either: 20 frames wait where Linux is left alone.
	if runtime.GOOS == "linux" && n-1 > 8 {
		t.Errorf("%d frames of the past waited in sockets", n-1)
	}
}

// A viewer who reads nothing at all is dropped, and with it what it held.
func TestStuckViewerDropped(t *testing.T) {
	w := openPage(t, Config{})
	w.patience = 50 * time.Millisecond
	watch(t, w)
	w.waitViewers(t, 1)
	var fs frames
	jpeg := make([]byte, 1e6)
	waitFor(t, "the viewer to be dropped", func() bool {
		if err := fs.write(t, w, jpeg); err != nil {
			t.Fatal(err)
		}
		n, _ := w.watched()
		return n == 0
	})
	if _, skipped := w.watched(); skipped == 0 {
		t.Error("what it skipped is no longer counted")
	}
}

// The stream is quiet for longer than any time-out of the server: it goes on.
func TestStreamOutlivesQuiet(t *testing.T) {
	w := newWeb(Config{Log: slog.New(slog.DiscardHandler)}, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String() + "/"
	w.timeout = 100 * time.Millisecond
	w.serve(l, webAddr{})
	defer w.Close()
	v := watch(t, w)
	w.waitViewers(t, 1)
	time.Sleep(250 * time.Millisecond)
	var fs frames
	if err := fs.write(t, w, []byte("still there")); err != nil {
		t.Fatal(err)
	}
	if _, b := v.next(); string(b) != "still there" {
		t.Errorf("got %q", b)
	}
}

// Viewers are bounded; a place that gets free is given away again.
func TestTooManyViewers(t *testing.T) {
	w := openPage(t, Config{})
	var all []*viewer
	for range maxViewers {
		all = append(all, watch(t, w))
	}
	w.waitViewers(t, maxViewers)
	r, b := get(t, w, "stream.mjpg")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || !strings.Contains(string(b), "too many viewers") {
		t.Errorf("got %s %v %q", r.Status, r.Header, b)
	}
	if r, _ := get(t, w, "stats"); r.StatusCode != http.StatusOK {
		t.Errorf("figures: %s", r.Status)
	}
	all[0].body.Close()
	w.waitViewers(t, maxViewers-1)
	watch(t, w)
	w.waitViewers(t, maxViewers)
}

// Whatever clients are doing, Close ends it all.
func TestWebClose(t *testing.T) {
	w := openPage(t, Config{})
	var fs frames
	jpeg := make([]byte, 1e6)

	watch(t, w) // stuck: reads nothing
	w.waitViewers(t, 1)
	waitFor(t, "a viewer to be stuck", func() bool {
		if err := fs.write(t, w, jpeg); err != nil {
			t.Fatal(err)
		}
		_, skipped := w.watched()
		return skipped > 3
	})
	healthy := watch(t, w)
	get(t, w, "stats") // leaves an idle connection
	for _, said := range []string{"", "GET /sta", "GET /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"} {
		c, err := net.Dial("tcp", w.address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, said)
	}
	healthy.next()
	w.waitViewers(t, 2)

	if err := w.Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, "the last goroutine to end", func() bool { return ours() == "" })
	if n, _ := w.watched(); n != 0 {
		t.Errorf("%d viewers left", n)
	}
	if c, err := net.Dial("tcp", w.address()); err == nil {
		c.Close()
		t.Error("somebody still listens")
	}
}

// ours are the stacks of goroutines of the server side, if there are any.
func ours() string {
	b := make([]byte, 1<<20)
	for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(g, "net/http.(*conn).serve") || strings.Contains(g, "net/http.(*Server)") || strings.Contains(g, "display.(*web)") && !strings.Contains(g, "testing.tRunner") {
			return g
		}
	}
	return ""
}

func TestSnapshot(t *testing.T) {
	w := openPage(t, Config{})
	r, _ := get(t, w, "snapshot.jpg")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("without a frame: got %s %v", r.Status, r.Header)
	}
	var fs frames
	first, second := plainJPEG(t, 32, 32, color.White), plainJPEG(t, 48, 32, color.Black)
	for _, jpeg := range [][]byte{first, second} {
		if err := fs.write(t, w, jpeg); err != nil {
			t.Fatal(err)
		}
		r, b := get(t, w, "snapshot.jpg")
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "image/jpeg" || !bytes.Equal(b, jpeg) {
			t.Errorf("got %s %v, %d bytes, want the newest frame's %d", r.Status, r.Header, len(b), len(jpeg))
		}
	}
	r, err := http.Head(w.URL() + "snapshot.jpg")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.ContentLength != int64(len(second)) || r.Header.Get("X-Frame") != "1" {
		t.Errorf("HEAD: got %v", r.Header)
	}
}

func TestStats(t *testing.T) {
	w := openPage(t, Config{Title: "Workshop", Stats: func() any {
		return map[string]any{"latency_ms": 4.5, "lost": map[string]int{"network": 3}}
	}})
	_, b := get(t, w, "stats")
	if got, want := string(b), `{"title":"Workshop","web":{"frames":0,"fps":0,"mbit_per_s":0,"age_ms":null,"viewers":0,"viewer_skipped":0},"stream":{"latency_ms":4.5,"lost":{"network":3}}}`+"\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	var fs frames
	for range 3 {
		if err := fs.write(t, w, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	r, b := get(t, w, "stats")
	var s struct {
		Web struct {
			Frames int
			AgeMS  *float64 `json:"age_ms"`
			FPS    float64
		}
	}
	if err := json.Unmarshal(b, &s); err != nil || s.Web.Frames != 3 || s.Web.AgeMS == nil || *s.Web.AgeMS < 0 || s.Web.FPS <= 0 || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %v %s, %v", r.Header, b, err)
	}
}

// Figures that JSON cannot hold are the fault of whoever gave them: said, not sent.
func TestStatsImpossible(t *testing.T) {
	w := openPage(t, Config{Stats: func() any { return math.NaN() }})
	if r, b := get(t, w, "stats"); r.StatusCode != http.StatusInternalServerError || !strings.Contains(string(b), "NaN") {
		t.Errorf("got %s %s", r.Status, b)
	}
}

func TestMethods(t *testing.T) {
	w := openPage(t, Config{})
	for _, path := range []string{"", "stats", "stream.mjpg", "snapshot.jpg"} {
		r, err := http.Post(w.URL()+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST /%s: %s", path, r.Status)
		}
	}
	r, err := http.Head(w.URL() + "stream.mjpg")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/x-mixed-replace") {
		t.Errorf("HEAD: %v", r.Header)
	}
	if r, _ := get(t, w, "no-such-file"); r.StatusCode != http.StatusNotFound {
		t.Errorf("got %s", r.Status)
	}
}

// The page asks nobody but us for anything, and says so to the browser.
func TestPageFiles(t *testing.T) {
	w := openPage(t, Config{})
	for path, kind := range map[string]string{
		"": "text/html; charset=utf-8", "style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml",
		"main.js": "text/javascript; charset=utf-8", "stream.js": "text/javascript; charset=utf-8", "figures.js": "text/javascript; charset=utf-8",
	} {
		r, b := get(t, w, path)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != kind || r.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("/%s: %s %v", path, r.Status, r.Header)
		}
		text := strings.ReplaceAll(string(b), `xmlns="http://www.w3.org/2000/svg"`, "")
		if strings.Contains(text, "http:") || strings.Contains(text, "https:") || strings.Contains(text, `"//`) {
			t.Errorf("/%s points elsewhere", path)
		}
	}
}

func TestRate(t *testing.T) {
	start := time.Now()
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	for _, tt := range []struct {
		name        string
		fps, length float64 // frames of 1000 bytes, for length seconds
		now, want   float64
	}{
		{"nothing yet", 30, 0, 1, 0},
		{"young", 30, 0.5, 0.5, 30},
		{"steady", 30, 10, 10, 30},
		{"faster than the ring", 1000, 3, 3, 1000},
		{"half the window ago", 30, 10, 11, 15},
		{"long ago", 30, 10, 60, 0},
	} {
		var r rate
		for i := range int(tt.fps * tt.length) {
			r.add(at(float64(i)/tt.fps), 1000)
		}
		frames, bytes := r.perSecond(at(tt.now))
		if math.Abs(frames-tt.want) > tt.want/15 || math.Abs(bytes-1000*frames) > 1 {
			t.Errorf("%s: got %.1f frames and %.0f bytes a second, want %v frames", tt.name, frames, bytes, tt.want)
		}
	}
}

// BenchmarkStream is what a viewer costs the page.
func BenchmarkStream(b *testing.B) {
	for _, viewers := range []int{1, 8} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) {
			w := openPage(b, Config{})
			var all []*viewer
			for range viewers {
				all = append(all, watch(b, w))
			}
			w.waitViewers(b, viewers)
			f := stream.NewFrame(make([]byte, 67e3)) // 720p at quality 80
			buf := make([]byte, 67e3+200)
			for b.Loop() {
				w.Write(b.Context(), f)
				for _, v := range all {
					io.ReadAtLeast(v.body, buf, 67e3)
				}
			}
		})
	}
}
