package tcp

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/framegram/framegram/fragment"
)

// greeting is how long a peer may take for its first message.
const greeting = 3 * time.Second

// strangerError is a peer that is no framegram, or not one that we can talk to.
type strangerError struct{ says string }

func (e *strangerError) Error() string { return e.says }

// refusedError is a peer that has no room for us.
type refusedError struct{ reason fragment.RefuseReason }

func (e *refusedError) Error() string {
	switch e.reason {
	case fragment.RefuseFull:
		return "it serves as many as it allows already"
	case fragment.RefuseLimits:
		return "its frames are larger than we take"
	case fragment.RefuseClosing:
		return "it is ending"
	}
	return "it refuses"
}

// greet sends our first message, unless it is nil, and returns the other side's, which must
// be of type want. It is valid until the next one is read. The error is a *strangerError, a *refusedError
// or the connection's.
func (p *peer) greet(ours encoding.BinaryAppender, want fragment.Type) ([]byte, error) {
	p.limit(time.Now().Add(greeting))
	defer p.limit(time.Time{})
	if ours != nil {
		if err := p.send(ours); err != nil {
			return nil, err
		}
	}
	if err := p.recognise(); err != nil {
		return nil, err
	}
	c, n, err := p.message(1)
	if err != nil {
		return nil, notOurs(err)
	}
	if c.Type == fragment.TypeFrame {
		return nil, &strangerError{"it does not keep to the protocol: its first message is a frame"}
	}
	b, err := p.control(n)
	if err != nil {
		return nil, notOurs(err)
	}
	switch {
	case c.Type == want:
		return b, nil
	case c.Type == fragment.TypeRefuse:
		return nil, refusal(b)
	case c.Type == fragment.TypeAnnounce:
		return nil, &strangerError{"it sends frames, as we do: run `framegram view` on one of the two"}
	case c.Type == fragment.TypeHello:
		return nil, &strangerError{"it wants frames, as we do: run `framegram send` on one of the two"}
	}
	return nil, &strangerError{fmt.Sprintf("it does not keep to the protocol: its first message is %v", c.Type)}
}

// refusal is what a Refuse says, as an error.
func refusal(b []byte) error {
	var r fragment.Refuse
	if err := r.Parse(b); err != nil {
		return notOurs(err)
	}
	return &refusedError{r.Reason}
}

// notOurs turns what is wrong with a peer's first message into a *strangerError.
func notOurs(err error) error {
	for _, e := range [...]error{fragment.ErrInvalid, fragment.ErrShort, fragment.ErrSealed, fragment.ErrMagic, fragment.ErrVersion} {
		if errors.Is(err, e) {
			return &strangerError{"it does not keep to the protocol: " + err.Error()}
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &strangerError{fmt.Sprintf("its first message was not whole after %v", greeting)}
	}
	return err
}

// recognise looks at the first bytes: length, magic and version stand where they stand
// in every version.
func (p *peer) recognise() error {
	const enough = fragment.LengthLen + 3
	b, err := p.in.Peek(enough)
	switch {
	case len(b) == 0 && errors.Is(err, os.ErrDeadlineExceeded):
		return &strangerError{fmt.Sprintf("it has said nothing for %v: it does not seem to be framegram", greeting)}
	case len(b) == 0:
		return err // closed again, or reset
	case err != nil && bytes.HasPrefix(beginning(b), b): // cut, but not wrong
		return err
	case err != nil || string(b[fragment.LengthLen:enough-1]) != "FG":
		return &strangerError{whatSpeaks(b)}
	}
	if v := fragment.VersionOf(b[fragment.LengthLen:]); v != fragment.Version {
		return &strangerError{fmt.Sprintf("it speaks version %d of the protocol, we speak %d: update the older side", v, fragment.Version)}
	}
	if n := binary.BigEndian.Uint32(b); n > fragment.MaxControlLen {
		return &strangerError{fmt.Sprintf("it does not keep to the protocol: it claims a first message of %d bytes", n)}
	}
	return nil
}

// beginning is b's length and what must follow it, as far as b goes.
func beginning(b []byte) []byte {
	if len(b) <= fragment.LengthLen {
		return b
	}
	return append(bytes.Clone(b[:fragment.LengthLen]), "FG"...)
}

// whatSpeaks names the protocol that begins with b, for who has the wrong port.
func whatSpeaks(b []byte) string {
	for _, known := range [...]struct{ begins, name string }{
		{"GET ", "HTTP"}, {"HEAD", "HTTP"}, {"POST", "HTTP"}, {"PUT ", "HTTP"}, {"OPTI", "HTTP or RTSP"}, {"HTTP", "HTTP"}, {"PRI ", "HTTP/2"}, {"CONN", "HTTP"},
		{"DESC", "RTSP"}, {"RTSP", "RTSP"}, {"\x16\x03", "TLS"}, {"\x15\x03", "TLS"}, {"SSH-", "SSH"}, {"RFB ", "VNC"}, {"220 ", "SMTP or FTP"}, {"220-", "SMTP or FTP"},
	} {
		if bytes.HasPrefix(b, []byte(known.begins)) {
			return "it speaks " + known.name + ", not framegram: check the port"
		}
	}
	return fmt.Sprintf("it does not speak framegram: its first bytes are %q", b)
}

// refuse answers a first message, in which the other side named its session.
func (p *peer) refuse(session uint64, reason fragment.RefuseReason) {
	p.end()
	if p.send(&fragment.Refuse{Common: p.common(), Reason: reason, Viewer: session}) == nil {
		p.conn.CloseWrite()
		io.Copy(io.Discard, p.in) // until it has read that and closes, or grace is over
	}
}
