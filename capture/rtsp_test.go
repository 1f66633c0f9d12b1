package capture

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
)

// rtspServer answers one request a connection.
func rtspServer(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := textproto.NewReader(bufio.NewReader(c))
			r.ReadLine()
			h, _ := r.ReadMIMEHeader()
			fmt.Fprintf(c, answer, h.Get("CSeq"))
			c.Close()
		}
	}()
	return "rtsp://%s" + l.Addr().String() + "/cam?pass=secret"
}

// OpenCV says nothing of why it cannot play an address: the server is asked.
func TestRTSPExplained(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, tt := range map[string]struct{ at, user, want string }{
		"unauthorized":   {rtspServer(t, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\n\r\n"), "", "answers 401 Unauthorized: it wants a user and a password: say rtsp://USER:PASSWORD@127.0.0.1:"},
		"wrong password": {rtspServer(t, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\n\r\n"), "me:secret@", "does not accept the user and password"},
		"no such path":   {rtspServer(t, "RTSP/1.0 404 Not\x01Found\r\nCSeq: %s\r\n\r\n"), "me:secret@", "answers 404 Not?Found: there is nothing at this path"},
		"no video":       {rtspServer(t, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n\r\n"), "", "answers, but OpenCV cannot play"},
		"no RTSP":        {rtspServer(t, "HTTP/1.1 400 Bad%.0s Request\r\n\r\n"), "", "is no RTSP server: it answers"},
		"no answer":      {rtspServer(t, "%.0s"), "", "gives no answer"},
		"nobody":         {"rtsp://%s" + closed.Addr().String() + "/cam", "me:secret@", "cannot be reached: dial tcp 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			source := fmt.Sprintf(tt.at, tt.user)
			a, err := parseAddress(source)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.errorf("%w", a.explainRTSP(t.Context())).Error(); !strings.Contains(got, tt.want) || strings.Contains(got, "secret") {
				t.Errorf("got %s, want %q", got, tt.want)
			}
			_, err = Open(t.Context(), Config{Source: source})
			if err == nil || !errors.Is(err, ErrNoOpenCV) && !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("opening it: %v", err)
			}
		})
	}
}
