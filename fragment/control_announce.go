package fragment

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxName bounds the texts of an announcement, in bytes of UTF-8.
const maxName = 64

// Announce tells viewers what the stream is. The sender repeats it once a second.
type Announce struct {
	Common
	Width    uint16 // pixels; 0 = not known
	Height   uint16 // pixels; 0 = not known
	MilliFPS uint32 // frames per 1000 s; 0 = not known
	Started  int64  // µs since the Unix epoch: when the sender started
	Name     string // of the stream, for people; at most 64 bytes
	Software string // such as "framegram 0.1.0"; at most 64 bytes
}

// AppendBinary implements encoding.BinaryAppender. Texts over 64 bytes are cut
// between two characters.
func (a *Announce) AppendBinary(b []byte) ([]byte, error) {
	b = a.Common.append(b, TypeAnnounce)
	b = binary.BigEndian.AppendUint16(b, a.Width)
	b = binary.BigEndian.AppendUint16(b, a.Height)
	b = binary.BigEndian.AppendUint32(b, a.MilliFPS)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Started))
	return appendText(appendText(b, a.Name), a.Software), nil
}

// Parse reads b, from which it keeps nothing; after an error a means nothing. The
// texts are whatever a stranger wrote: quote them before they reach a terminal.
func (a *Announce) Parse(b []byte) error {
	c, d, err := body(b, TypeAnnounce, 18)
	if err != nil {
		return err
	}
	*a = Announce{
		Common:   c,
		Width:    binary.BigEndian.Uint16(d),
		Height:   binary.BigEndian.Uint16(d[2:]),
		MilliFPS: binary.BigEndian.Uint32(d[4:]),
		Started:  int64(binary.BigEndian.Uint64(d[8:])),
	}
	d = d[16:]
	if a.Name, d, err = takeText(d); err != nil {
		return err
	}
	a.Software, _, err = takeText(d)
	return err
}

func appendText(b []byte, s string) []byte {
	n := min(len(s), maxName)
	for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	s = s[:n]
	return append(append(b, byte(len(s))), s...)
}

func takeText(b []byte) (string, []byte, error) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return "", nil, ErrShort
	}
	n := int(b[0])
	if n > maxName {
		return "", nil, ErrInvalid
	}
	return string(b[1 : 1+n]), b[1+n:], nil
}
