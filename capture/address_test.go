package capture

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// What people see of an address holds no password, wherever it stood.
func TestAddressShown(t *testing.T) {
	for source, want := range map[string]string{
		"rtsp://cam:554/ch1":                             "rtsp://cam:554/ch1",
		"http://me:s3cret@cam/x?pwd=s3cret#s3cret":       "http://cam/x?...",
		"http://me:12/s3cret@cam/x":                      "http://...@cam/x",
		"http://me:12@cam/s3cret@cam/x":                  "http://...@cam/x",
		"mjpeg+http://me:12/s3cret@cam/x":                "mjpeg+http://...@cam/x",
		"rtsp://cam/user=admin&password=s3cret&ch=1":     "rtsp://cam/user=admin&password=...&ch=1",
		"rtsp://cam/user=admin_PASSWORD=s3/cret_ch=1":    "rtsp://cam/user=admin_PASSWORD=...",
		"http://cam/a;PassWd=s3cret;Pwd=s3cret?x":        "http://cam/a;PassWd=...;Pwd=...?...",
		"http://cam/pass=s3cret&token=s3cret&Key=s3cret": "http://cam/pass=...&token=...&Key=...",
		"https://cam/auth=s3cret":                        "https://cam/auth=...",
	} {
		a, err := parseAddress(source)
		if err != nil || a.shown != want {
			t.Errorf("%s is shown as %q, %v, want %q", source, a.shown, err, want)
		}
	}
}

// A server to which another one leads does not learn how that was asked.
func TestHTTPRedirectTellsNothing(t *testing.T) {
	want := greys(t, 1, 64, 48)[0]
	var asked atomic.Int32
	other := serve(t, func(w http.ResponseWriter, r *http.Request, wait func()) {
		asked.Add(1)
		for name, values := range r.Header {
			if text := strings.Join(values, " "); strings.Contains(text, "s3cret") || name == "Referer" {
				t.Errorf("it is told %s: %s", name, text)
			}
		}
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
		w.Write(want)
		wait()
	})
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ func()) {
		http.Redirect(w, r, elsewhere+"/stream", http.StatusFound)
	})
	take(t, mustOpen(t, Config{Source: "mjpeg+" + srv.URL + "/redir?pwd=s3cret"}), 1)
	if asked.Load() != 1 {
		t.Errorf("it was asked %d times", asked.Load())
	}
}

// Who asks for a picture now and then gets a server that is silent in between.
func TestHTTPWaitsForALowRate(t *testing.T) {
	for fps, want := range map[float64]float64{0: 5, 30: 5, 0.1: 20} {
		if got := newHTTPSource(address{}, Config{FPS: fps}).quiet.Seconds(); got != want {
			t.Errorf("at %v pictures a second it is left after %v s, want %v", fps, got, want)
		}
	}
}
