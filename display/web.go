package display

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framegram/framegram/stream"
)

// maxViewers bounds who watches the stream at one time. At 16 Mbit/s each, 64 of
// them are more than a gigabit network carries.
const maxViewers = 64

// web serves a page with the picture and figures to any number of browsers:
//
//	/             the page
//	/stream.mjpg  the frames, as multipart/x-mixed-replace
//	/snapshot.jpg the newest frame
//	/stats        figures as JSON
//
// Frames are passed on as they are; whoever watches decodes them. Each viewer of
// the stream has a mailbox, so that a slow one skips frames and holds up neither
// the sink nor another viewer.
type web struct {
	title string
	stats func() any
	log   *slog.Logger
	url   string

	server *http.Server
	served chan struct{}  // Serve returned
	conns  sync.WaitGroup // connections whose goroutines have not ended

	timeout  time.Duration // how long a request or an answer may take, but for the stream
	patience time.Duration // how long one frame of the stream may take

	mu      sync.Mutex
	newest  *stream.Frame // held
	viewers map[*stream.Mailbox]struct{}
	closed  bool
	rate    rate
	skipped uint64 // by viewers that left

	frames atomic.Uint64
}

// openWeb serves the page. why, for Notify, is the reason that it is the page.
func openWeb(cfg Config, why string) (*web, error) {
	listener, addr, err := listenWeb(cfg.WebAddr)
	if err != nil {
		return nil, err
	}
	w := newWeb(cfg, addr.url(listener.Addr()))
	w.serve(listener, addr)
	cfg.Notify(why + "watch at " + addr.places(listener.Addr()))
	return w, nil
}

func newWeb(cfg Config, url string) *web {
	return &web{
		title: cfg.Title, stats: cfg.Stats, log: cfg.Log, url: url,
		served: make(chan struct{}), timeout: 10 * time.Second, patience: 10 * time.Second,
		viewers: make(map[*stream.Mailbox]struct{}),
	}
}

// URL is where the page is, for a browser on this machine.
func (w *web) URL() string { return w.url }

func (w *web) serve(l net.Listener, addr webAddr) {
	w.server = &http.Server{
		Handler:        guard(addr, l.Addr(), w.routes()),
		ReadTimeout:    w.timeout, // the header's, too; the stream lifts it
		WriteTimeout:   w.timeout, // the stream has its own
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
		ConnState:      w.count,
	}
	go func() {
		defer close(w.served)
		if err := w.server.Serve(l); err != nil && err != http.ErrServerClosed {
			w.log.Error("the web page is no longer served", "error", err)
		}
	}()
}

func (w *web) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stream.mjpg", w.serveStream)
	mux.HandleFunc("GET /snapshot.jpg", w.serveSnapshot)
	mux.HandleFunc("GET /stats", w.serveStats)
	mux.Handle("GET /", pageHandler())
	return mux
}

// count follows connections from the first state to the last, so that Close can
// wait for their goroutines. The tuning of a new one is done here, too.
func (w *web) count(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		w.conns.Add(1)
		if err := limitUnsent(c); err != nil {
			w.log.Debug("socket not tuned", "error", err)
		}
	case http.StateClosed, http.StateHijacked:
		w.conns.Done()
	}
}

// Write offers f to every viewer. It never waits for one.
func (w *web) Write(_ context.Context, f *stream.Frame) error {
	w.frames.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rate.add(time.Now(), len(f.JPEG))
	if w.newest != nil {
		w.newest.Release()
	}
	w.newest = f.Retain()
	for box := range w.viewers {
		box.Put(f.Retain())
	}
	return nil
}

// Stats implements Reporter.
func (w *web) Stats() Stats {
	s := Stats{Shown: w.frames.Load()}
	s.Viewers, s.ViewerSkipped = w.watched()
	return s
}

// watched is how many viewers there are, and the frames they all skipped so far.
func (w *web) watched() (viewers int, skipped uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	skipped = w.skipped
	for box := range w.viewers {
		skipped += box.Replaced()
	}
	return len(w.viewers), skipped
}

// join adds a viewer, whom the newest frame awaits, or returns nil when there are
// too many.
func (w *web) join() *stream.Mailbox {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.viewers) >= maxViewers {
		return nil
	}
	box := stream.NewMailbox()
	if w.newest != nil {
		box.Put(w.newest.Retain())
	}
	w.viewers[box] = struct{}{}
	return box
}

func (w *web) leave(box *stream.Mailbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.viewers, box)
	w.skipped += box.Replaced()
	box.Drain(io.EOF)
}

// Close ends the page within a second: viewers get the frame they are being given,
// and whoever takes longer than half a second for it is cut off. When it returns,
// no goroutine is left.
func (w *web) Close() error {
	w.mu.Lock()
	w.closed = true
	for box := range w.viewers {
		box.Close(io.EOF)
	}
	if w.newest != nil {
		w.newest.Release()
		w.newest = nil
	}
	w.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if ctx.Err() != nil {
		err = w.server.Close()
	}
	<-w.served
	w.conns.Wait()
	if err != nil {
		return fmt.Errorf("display: closing the web page: %w", err)
	}
	return nil
}
