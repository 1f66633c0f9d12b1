package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/icholy/digest"

	"github.com/framegram/framegram/stream"
)

// httpSource opens an address of HTTP. JPEGs are read here; for anything else OpenCV
// asks again.
type httpSource struct {
	a      address
	cfg    Config
	client http.Client

	quiet time.Duration // without a byte, after which the server is left
}

const maxRedirects = 5

// perPicture is how many times as long as nothing at all, bytes may come without a
// usable picture before the server is left: 15 s. A slow link takes seconds for one.
const perPicture = 3

func newHTTPSource(a address, cfg Config) *httpSource {
	h := &httpSource{a: a, cfg: cfg, quiet: stallAfter}
	if cfg.FPS > 0 { // whoever asks for a picture in 10 s waits that long
		h.quiet = max(h.quiet, mediaTime(2, cfg.FPS))
	}
	h.client.Transport = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: stallAfter}).DialContext,
		TLSHandshakeTimeout:    stallAfter,
		ResponseHeaderTimeout:  stallAfter,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // JPEGs would not shrink
		DisableKeepAlives:      true, // a stream is the connection's last
	}
	h.client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		req.Header.Del("Referer") // the address, which may hold a password, is not the next host's business
		if len(via) > maxRedirects {
			return fmt.Errorf("redirects more than %d times", maxRedirects)
		}
		return nil
	}
	return h
}

func (h *httpSource) open(ctx context.Context, count *counters) (stream.Source, error) {
	b, err := h.get(ctx)
	if err != nil {
		return nil, h.a.errorf("%w", err)
	}
	kind := contentType(b.resp)
	jpegs, err := h.takes(kind, b.resp)
	if err == nil && jpegs {
		return h.stream(b, count)
	}
	b.Close()
	if err != nil {
		return nil, h.a.errorf("%w", err)
	}
	s, err := openAddressCV(h.a, h.cfg, count)
	if errors.Is(err, errNotVideo) {
		err = h.a.errorf("sends %s, but %w", kind, err)
	}
	return s, err
}

// contentType is what a response says it holds, such as "image/jpeg". Parameters do
// not matter here, and cameras get them wrong.
func contentType(resp *http.Response) string {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind = strings.ToLower(printable(kind)); kind == "" {
		return "no content type"
	}
	return kind
}

// takes reports whether a response is to be read as JPEGs.
func (h *httpSource) takes(kind string, resp *http.Response) (bool, error) {
	family, _, _ := strings.Cut(kind, "/")
	switch {
	case kind == "multipart/x-mixed-replace" || h.a.jpegs && family == "multipart":
		return true, nil
	case kind == "image/jpeg" || kind == "image/jpg":
		if resp.ContentLength >= 0 {
			return false, errors.New("sends a single picture: a camera has another address for its stream, see its manual")
		}
		return true, nil
	case family == "text" || family == "image":
		return false, fmt.Errorf("sends %s, which is no video: a camera's page has another address than its stream, see its manual", kind)
	case !h.a.jpegs:
		return false, nil
	case family == "video" || family == "audio":
		return false, fmt.Errorf("sends %s, which is no stream of JPEGs: try %s://", kind, h.a.url.Scheme)
	}
	return true, nil // many say octet-stream, or nothing
}

// get asks for the address, without the password first: the answer tells which way of
// showing it the server knows. ctx is for the asking only.
func (h *httpSource) get(ctx context.Context) (*body, error) {
	b := newBody(ctx, h.quiet)
	defer b.asked()
	u := *h.a.url
	u.User, u.Fragment = nil, ""
	err := h.ask(b, u.String(), "")
	if err == nil && b.resp.StatusCode == http.StatusUnauthorized && h.a.url.User != nil {
		at := b.resp.Request.URL
		proof, authErr := h.authorization(b.resp, at)
		if b.resp.Body.Close(); authErr != nil {
			err = authErr
		} else {
			err = h.ask(b, at.String(), proof)
		}
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	if b.resp.StatusCode != http.StatusOK {
		b.Close()
		_, text, _ := strings.Cut(b.resp.Status, " ")
		return nil, h.a.refused(b.resp.StatusCode, text)
	}
	return b, nil
}

func (h *httpSource) ask(b *body, to, proof string) error {
	req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, to, nil)
	if err != nil {
		return errors.New("is no address that can be asked for")
	}
	req.Header.Set("User-Agent", "framegram")
	req.Header.Set("Accept", "*/*")
	if proof != "" {
		req.Header.Set("Authorization", proof)
	}
	b.resp, err = h.client.Do(req)
	if err == nil {
		return nil
	}
	var outer *url.Error // it quotes the address
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		return fmt.Errorf("has a certificate that this machine does not trust; SSL_CERT_FILE may name one to trust, or say http://: %w", err)
	}
	return fmt.Errorf("cannot be reached: %w", err)
}

// authorization answers a server that wants a password: Digest (RFC 7616) if it knows
// that, otherwise Basic (RFC 7617). No other host than the one in the address learns
// anything of it, nor does that one in the clear if the address is one of HTTPS.
func (h *httpSource) authorization(resp *http.Response, at *url.URL) (string, error) {
	if at.Hostname() != h.a.url.Hostname() || h.a.url.Scheme == "https" && at.Scheme != "https" {
		return "", fmt.Errorf("redirects to %s://%s, which wants a password: give that address with one", at.Scheme, at.Host)
	}
	user := h.a.url.User.Username()
	password, _ := h.a.url.User.Password()
	if c, err := digest.FindChallenge(resp.Header); err == nil && digest.CanDigest(c) {
		proof, err := digest.Digest(c, digest.Options{
			Method: http.MethodGet, URI: at.RequestURI(), Username: user, Password: password, Count: 1,
		})
		if err != nil {
			return "", fmt.Errorf("wants a password in a way that is not known here: %w", err)
		}
		return proof.String(), nil
	}
	for _, way := range resp.Header.Values("WWW-Authenticate") {
		if scheme, _, _ := strings.Cut(way, " "); strings.EqualFold(scheme, "basic") {
			r := http.Request{Header: http.Header{}}
			r.SetBasicAuth(user, password)
			return r.Header.Get("Authorization"), nil
		}
	}
	return "", errors.New("wants a password, but neither by Basic nor by Digest authentication")
}

// body is a response that is being read. It is given up when nothing comes.
type body struct {
	resp   *http.Response
	quiet  time.Duration   // how long that may be
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
	asked  func() bool // ends the influence of the context given to newBody
	timer  *time.Timer
}

func newBody(ctx context.Context, quiet time.Duration) *body {
	b := &body{quiet: quiet}
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	b.asked = context.AfterFunc(ctx, func() { b.cancel(context.Cause(ctx)) })
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.quiet, func() { b.cancel(fmt.Errorf("nothing came for %v", b.quiet)) })
	}
	n, err := b.resp.Body.Read(p)
	if n > 0 {
		b.timer.Reset(b.quiet)
	}
	if err != nil && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// interrupt makes Read return.
func (b *body) interrupt() { b.cancel(context.Canceled) }

// Close frees the connection. Nobody reads any more.
func (b *body) Close() {
	b.cancel(context.Canceled)
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.resp != nil {
		b.resp.Body.Close()
	}
}

// stream reads a response as JPEGs. Whatever frames them is passed over: a picture is
// told by its own marks, so it is ready with its last byte, and wrong boundaries,
// lengths that are missing or wrong and ends of line do no harm.
func (h *httpSource) stream(b *body, count *counters) (stream.Source, error) {
	m := &mjpeg{
		jpegs: &jpegs{
			counters: count, log: h.cfg.Log, interrupt: b.interrupt, finish: b.Close,
			info: Info{Name: h.a.shown, FPS: h.cfg.FPS, Live: true}, patience: perPicture * h.quiet,
		},
		r: b, max: h.cfg.MaxFrame, framed: true,
		ended: func() error { return errors.New("the stream has ended") },
		fail:  func(err error) error { return err },
	}
	return jpegSource(m.start(h.cfg.FPS), h.cfg)
}
