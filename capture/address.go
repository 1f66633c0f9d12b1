package capture

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/framegram/framegram/stream"
)

var schemes = []string{"rtsp", "http", "https", "mjpeg+http", "mjpeg+https"}

// address is a network source.
type address struct {
	url   *url.URL // with user and password; never shown
	jpegs bool     // asked for as a stream of JPEGs
	shown string   // for people
}

func parseAddress(s string) (address, error) {
	var a address
	text := s
	if scheme, rest, _ := strings.Cut(s, "+"); strings.EqualFold(scheme, "mjpeg") {
		a.jpegs, text = true, rest
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		// The error would quote what may be the password.
		return a, &ConfigError{"source", fmt.Errorf("is %s, which is no address: want SCHEME://[USER:PASSWORD@]HOST[:PORT]/PATH, with / @ : # %% ? in a password written as %%2F %%40 %%3A %%23 %%25 %%3F", redact(s))}
	}
	a.url = u
	shown := *u
	shown.User, shown.Fragment = nil, ""
	// An @ that is left may end a password with a / in it: http://me:pass/word@cam/ is
	// taken for a path at the host "me".
	a.shown = redact(shown.String())
	if a.jpegs {
		a.shown = "mjpeg+" + a.shown
	}
	return a, nil
}

// schemed is a text that is meant as an address, well-formed or not: none with a single
// letter, which Windows has for its drives.
var schemed = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+:/*)(.*)$`)

// secret is a password by its name, which some cameras want in the path. What belongs
// to it ends at the latest where another name may begin.
var secret = regexp.MustCompile(`(?i)((?:passw(?:or)?d|pwd|pass|token|auth|key)=)[^&?;#]+`)

// redact takes what may be a user and a password, or a query, out of an address: all
// that stands before its last @.
func redact(s string) string {
	parts := schemed.FindStringSubmatch(strings.ToValidUTF8(s, "?"))
	if parts == nil {
		return s
	}
	scheme, rest := parts[1], parts[2]
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "..." + rest[i:]
	}
	rest, _, query := strings.Cut(rest, "?")
	rest = secret.ReplaceAllString(rest, "${1}...")
	if query {
		rest += "?..." // cameras take passwords there, too
	}
	return quoted(scheme + rest)
}

// hidden is redact for what may as well be the path of a file: that is left as it is.
func hidden(path string) string {
	parts := schemed.FindStringSubmatch(path)
	if parts != nil && (strings.Contains(parts[2], "@") || isScheme(parts[1])) {
		return redact(path)
	}
	return path
}

// isScheme reports whether a text, up to its colon, is a scheme known here.
func isScheme(s string) bool {
	scheme, _, _ := strings.Cut(s, ":")
	return slices.Contains(schemes, strings.ToLower(scheme))
}

// errNotVideo is all that OpenCV says about an address.
var errNotVideo = errors.New("OpenCV cannot play what comes from there")

func openAddress(ctx context.Context, cfg Config, source string) (stream.Source, error) {
	a, err := parseAddress(source)
	if err != nil {
		return nil, err
	}
	if a.url.Scheme == "rtsp" {
		return openAgain(ctx, cfg, a.shown, func(ctx context.Context, count *counters) (stream.Source, error) {
			s, err := openAddressCV(a, cfg, count)
			if errors.Is(err, errNotVideo) {
				err = a.errorf("%w", a.explainRTSP(ctx))
			}
			return s, err
		})
	}
	h := newHTTPSource(a, cfg)
	return openAgain(ctx, cfg, a.shown, h.open)
}

// errorf says which address an error is about.
func (a address) errorf(format string, args ...any) error {
	return errorf("%s "+format, append([]any{a.shown}, args...)...)
}

// refused says what an answer that is no success means. HTTP and RTSP have the same
// codes (RFC 2326 section 7.1.1).
func (a address) refused(code int, text string) error {
	what := fmt.Sprintf("answers %d %s", code, printable(text))
	switch {
	case code == http.StatusUnauthorized && a.url.User == nil:
		return fmt.Errorf("%s: it wants a user and a password: say %s://USER:PASSWORD@%s", what, a.scheme(), a.url.Host)
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%s: it does not accept the user and password given", what)
	case code == http.StatusForbidden:
		return fmt.Errorf("%s: it does not let this user or this machine in", what)
	case code == http.StatusNotFound:
		return fmt.Errorf("%s: there is nothing at this path; the camera's manual or its web page tells the right one", what)
	}
	return errors.New(what)
}

func (a address) scheme() string {
	if a.jpegs {
		return "mjpeg+" + a.url.Scheme
	}
	return a.url.Scheme
}
