package capture

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// rtspPatience bounds the question why an RTSP server could not be played.
const rtspPatience = 3 * time.Second

// explainRTSP asks a server for the description of its stream, for the sake of its
// answer's status: OpenCV does not tell why it failed.
func (a address) explainRTSP(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rtspPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.url.Hostname(), cmp.Or(a.url.Port(), "554")))
	if err != nil {
		return fmt.Errorf("cannot be reached: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	u := *a.url
	u.User, u.Fragment = nil, ""
	if _, err := fmt.Fprintf(conn, "DESCRIBE %s RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: framegram\r\n\r\n", &u); err != nil {
		return fmt.Errorf("does not take a request: %w", err)
	}
	line, err := textproto.NewReader(bufio.NewReader(io.LimitReader(conn, 1024))).ReadLine()
	if err != nil {
		return fmt.Errorf("takes a connection but gives no answer: %w", err)
	}
	version, status, _ := strings.Cut(line, " ")
	number, text, _ := strings.Cut(status, " ")
	code, err := strconv.Atoi(number)
	switch {
	case err != nil || !strings.HasPrefix(version, "RTSP/"):
		return fmt.Errorf("is no RTSP server: it answers %q", printable(line))
	case code == 200:
		return fmt.Errorf("answers, but %w", errNotVideo)
	}
	return a.refused(code, text)
}
