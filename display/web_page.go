package display

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"time"
)

// page is everything a browser needs: nothing is fetched from anywhere else.
//
//go:embed page
var page embed.FS

// pageTypes are given here, because the system's table, which net/http would ask, can
// be wrong (Windows keeps it in the registry), and then browsers refuse the files.
var pageTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// pageHandler serves the page's files.
func pageHandler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the name is a constant
	}
	next := http.FileServerFS(files)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if t := pageTypes[path.Ext(r.URL.Path)]; t != "" {
			rw.Header().Set("Content-Type", t)
		}
		rw.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'")
		next.ServeHTTP(rw, r)
	})
}

// serveSnapshot gives the newest frame, however old.
func (w *web) serveSnapshot(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	f := w.newest
	if f != nil {
		f.Retain()
	}
	w.mu.Unlock()
	h := rw.Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if f == nil {
		h.Set("Retry-After", "1")
		http.Error(rw, "framegram: no frame yet", http.StatusServiceUnavailable)
		return
	}
	defer f.Release()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(f.JPEG)))
	h.Set("X-Timestamp", timestamp(f.Captured))
	h.Set("X-Frame", strconv.FormatUint(uint64(f.ID), 10))
	rw.Write(f.JPEG) // an error is the viewer's: they left
}

// webStats is what /stats serves. The page reads it once a second.
type webStats struct {
	Title string     `json:"title"`
	Web   webFigures `json:"web"`
	// Stream is what Config.Stats gave.
	Stream any `json:"stream,omitempty"`
}

// webFigures are what the page itself knows. Rates are over the last two seconds.
type webFigures struct {
	Frames        uint64   `json:"frames"` // since the start
	FPS           float64  `json:"fps"`
	Mbit          float64  `json:"mbit_per_s"` // of JPEG, 10^6 bits
	AgeMS         *float64 `json:"age_ms"`     // since the newest frame came; null when none has
	Viewers       int      `json:"viewers"`
	ViewerSkipped uint64   `json:"viewer_skipped"` // frames that viewers were too slow for
}

func (w *web) serveStats(rw http.ResponseWriter, r *http.Request) {
	s := webStats{Title: w.title, Web: webFigures{Frames: w.frames.Load()}}
	s.Web.Viewers, s.Web.ViewerSkipped = w.watched()
	now := time.Now()
	w.mu.Lock()
	frames, bytes := w.rate.perSecond(now)
	last := w.rate.last()
	w.mu.Unlock()
	s.Web.FPS, s.Web.Mbit = frames, bytes*8/1e6
	if !last.IsZero() {
		age := float64(now.Sub(last).Microseconds()) / 1e3
		s.Web.AgeMS = &age
	}
	if w.stats != nil {
		s.Stream = w.stats()
	}
	b, err := json.Marshal(s)
	if err != nil {
		w.log.Error("figures cannot be shown", "error", err)
		http.Error(rw, "framegram: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Write(append(b, '\n')) // an error is the viewer's: they left
}
