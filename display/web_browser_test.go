//go:build linux

package display

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	red, green, blue = color.RGBA{R: 200, A: 255}, color.RGBA{G: 180, A: 255}, color.RGBA{B: 220, A: 255}
	grey             = color.RGBA{R: 120, G: 120, B: 120, A: 255}
)

// quarters is a picture of four colours: top left, top right, bottom left and right.
func quarters(w, h int, colors [4]color.RGBA) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range colors {
		r := image.Rect(0, 0, w/2, h/2).Add(image.Pt(i%2*w/2, i/2*h/2))
		draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return m
}

// shows reports whether the picture of four colours is what fills r of a screenshot,
// with its proportions kept.
func shows(screen image.Image, r image.Rectangle, w, h int, colors [4]color.RGBA) error {
	size := image.Pt(r.Dx(), r.Dx()*h/w)
	if size.Y > r.Dy() {
		size = image.Pt(r.Dy()*w/h, r.Dy())
	}
	at := r.Min.Add(r.Size().Sub(size).Div(2))
	for i, want := range colors {
		for _, p := range []image.Point{{1, 1}, {2, 2}, {9, 9}, {5, 5}} { // tenths of a quarter: near its edges, too
			x, y := at.X+size.X*(i%2*10+p.X)/20, at.Y+size.Y*(i/2*10+p.Y)/20
			if got := color.RGBAModel.Convert(screen.At(x, y)).(color.RGBA); !near(got, want) {
				return fmt.Errorf("at %d,%d: got %v, want %v", x, y, got, want)
			}
		}
	}
	return nil
}

func near(a, b color.RGBA) bool {
	d := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	return d(a.R, b.R) < 12 && d(a.G, b.G) < 12 && d(a.B, b.B) < 12
}

// feed gives w the picture 25 times a second until stop is called.
func feed(t *testing.T, w *web, jpeg []byte) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var fs frames
		for tick := time.NewTicker(40 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				if err := fs.write(t, w, jpeg); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	once := sync.OnceFunc(func() { close(done); <-ended })
	t.Cleanup(once)
	return once
}

// The whole page in a real browser: the picture is there, at its place and in its
// colours; it says when there is no signal, why no frame is complete, and when the
// connection is lost; and each time the picture comes back by itself.
func TestPage(t *testing.T) {
	var stalled atomic.Pointer[string]
	stall := func(why string) { stalled.Store(&why) }
	w := openPage(t, Config{Title: "Workshop & co", Stats: func() any {
		figures := map[string]any{"latency_ms": 4.26, "lost": map[string]int{"network": 3, "kernel": 0}}
		if why := stalled.Load(); why != nil {
			figures["stalled"] = *why
		}
		return figures
	}})
	b := openBrowser(t, w.URL(), 1280, 800)
	b.state("quiet") // no frame yet
	stall("no frame complete yet")
	b.state("stalled")
	b.reads("overlay-text", "no frame complete yet")
	stall("")

	const width, height = 640, 360
	one, two := [4]color.RGBA{red, green, blue, grey}, [4]color.RGBA{green, grey, red, blue}
	stop := feed(t, w, encode(t, quarters(width, height, one)))
	b.state("live")
	b.shows(width, height, one)
	for id, want := range map[string]string{"title": "Workshop & co", "latency": "4.3", "lost": "3", "lost-note": "network 3", "fps-note": "640 × 360"} {
		b.reads(id, want)
	}
	waitFor(t, "the frame rate", func() bool { var n float64; fmt.Sscan(b.text("fps"), &n); return n > 5 })

	stop()
	b.state("quiet")
	stop = feed(t, w, encode(t, quarters(width, height, two)))
	b.state("live")
	b.shows(width, height, two)

	stop()
	const why = "datagrams arrive at 9.4 of 21 Mbit/s, no frame complete: the network loses <b>more</b> of them"
	stall(why)
	b.state("stalled")
	b.reads("badge-text", "no picture")
	b.reads("overlay-title", "No frame complete")
	b.reads("overlay-text", why)
	stall("datagrams arrive at 3 Mbit/s, no frame complete")
	b.reads("overlay-text", "datagrams arrive at 3 Mbit/s, no frame complete")
	stall("")
	b.state("quiet")
	b.reads("overlay-title", "No signal")
	if len(b.problems) > 0 {
		t.Errorf("the page has problems: %s", b.problems)
	}

	address := w.address()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.state("lost")
	again := openTest(t, Config{Kind: "web", WebAddr: address}).(*web)
	defer again.Close()
	stop = feed(t, again, encode(t, quarters(width, height, one)))
	defer stop()
	b.state("live")
	b.shows(width, height, one)

	for _, size := range []image.Point{{400, 860}, {320, 568}, {1920, 1080}} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": size.X, "height": size.Y, "deviceScaleFactor": 1, "mobile": false})
		b.shows(width, height, one)
		if got := b.eval("document.documentElement.scrollWidth"); got != fmt.Sprint(size.X) {
			t.Errorf("in a window of %v the page is %s wide", size, got)
		}
	}
}

// shows waits until the picture is on the page.
func (b *browser) shows(w, h int, colors [4]color.RGBA) {
	b.t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = shows(b.screenshot(), b.box("picture"), w, h, colors); err == nil {
			return
		}
	}
	b.t.Fatal(err)
}

// reads waits until the page has the text there.
func (b *browser) reads(id, want string) {
	b.t.Helper()
	waitFor(b.t, id+" to read "+want, func() bool { return b.text(id) == want })
}

func (b *browser) text(id string) string {
	b.t.Helper()
	var s string
	if err := json.Unmarshal([]byte(b.eval("document.getElementById('"+id+"').textContent")), &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// Another site's image element shows a frame when it comes, not when the next one
// does.
func TestImageElement(t *testing.T) {
	w := openPage(t, Config{})
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		io.WriteString(rw, `<body style="margin:0"><img id="picture" width="320" height="240" src="`+w.URL()+`stream.mjpg">`)
	}))
	defer site.Close()
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, "http://localhost:"+port, 400, 300)
	w.waitViewers(t, 1)
	var fs frames
	for _, colors := range [][4]color.RGBA{{red, green, blue, grey}, {grey, blue, green, red}, {blue, grey, red, green}} {
		if err := fs.write(t, w, encode(t, quarters(320, 240, colors))); err != nil {
			t.Fatal(err)
		}
		b.shows(320, 240, colors)
	}
	// The element takes the pictures; the site does not get at their pixels.
	if got := b.eval(`(() => { const c = document.createElement("canvas").getContext("2d"); c.drawImage(picture, 0, 0); try { c.getImageData(0, 0, 1, 1); return "read" } catch (e) { return e.name } })()`); got != `"SecurityError"` {
		t.Errorf("a stranger's script got %s", got)
	}
}
