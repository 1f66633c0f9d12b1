//go:build cgo && !nocv

package display

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// closeWindow does what a window manager does when its user closes a window: it sends
// the client the message WM_DELETE_WINDOW (ICCCM section 4.2.8.1), in the X protocol's
// own bytes (X Window System Protocol, appendix B), since no tool at hand does.
func closeWindow(t *testing.T, window uint32) {
	t.Helper()
	c, err := net.Dial("unix", "/tmp/.X11-unix/X"+strings.TrimPrefix(os.Getenv("DISPLAY"), ":"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	le := binary.LittleEndian
	ask := func(request []byte, reply int) []byte {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, reply)
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	hello := ask([]byte{'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8) // little-endian, X11, no credentials
	if hello[0] != 1 {
		t.Fatalf("the X server refuses: % x", hello)
	}
	ask(nil, 4*int(le.Uint16(hello[6:])))
	atom := func(name string) uint32 {
		padded := name + "\x00\x00\x00"[:(4-len(name)%4)%4]
		r := le.AppendUint16([]byte{16, 0}, uint16(2+len(padded)/4)) // InternAtom
		r = le.AppendUint16(r, uint16(len(name)))
		return le.Uint32(ask(append(append(r, 0, 0), padded...), 32)[8:])
	}
	protocols, del := atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW")

	r := le.AppendUint32([]byte{25, 0, 11, 0}, window) // SendEvent
	r = append(r, 0, 0, 0, 0, 33, 32, 0, 0)            // to whoever made the window: ClientMessage of 32-bit words
	for _, v := range []uint32{window, protocols, del, 0, 0, 0, 0} {
		r = le.AppendUint32(r, v)
	}
	ask(append(r, 43, 0, 1, 0), 32) // and GetInputFocus, whose reply says that all was taken
}
