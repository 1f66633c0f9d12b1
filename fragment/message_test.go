package fragment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"testing"
)

const pictur = "whole pictur" // the examples' JPEG

func goldenFrame() FrameHeader {
	return FrameHeader{
		Common: Common{Type: TypeFrame, Session: exampleSession, Sequence: 2},
		Frame:  7, Captured: 1790000000123456, CRC: FrameCRC([]byte(pictur)),
	}
}

func TestStreamExamplesAreAllTested(t *testing.T) {
	got := slices.Sorted(maps.Keys(streamExamples(t)))
	if want := []string{"tcp-frame", "tcp-frame-newer-minor", "tcp-hello"}; !slices.Equal(got, want) {
		t.Errorf("docs/PROTOCOL.md has the examples %q, tested are %q", got, want)
	}
}

func TestExampleFrameMessages(t *testing.T) {
	page, want := streamExamples(t), goldenFrame()
	for name, wantStart := range map[string]int{"tcp-frame": FrameHeaderLen, "tcp-frame-newer-minor": FrameHeaderLen + 4} {
		b := page[name]
		c, n, err := ParseMessage(b, len(pictur))
		if err != nil || n != len(b)-LengthLen || c != want.Common {
			t.Fatalf("%s: got %+v of %d bytes, %v, want %+v of %d", name, c, n, err, want.Common, len(b)-LengthLen)
		}
		var h FrameHeader
		start, err := h.Parse(b[LengthLen:], n)
		if err != nil || h != want || start != wantStart {
			t.Errorf("%s: got %+v, the JPEG at %d, %v; want %+v at %d", name, h, start, err, want, wantStart)
		}
		if jpeg := b[LengthLen+start:]; string(jpeg) != pictur {
			t.Errorf("%s: the JPEG is %q", name, jpeg)
		}
	}
	b, err := want.AppendBinary(AppendLength(nil, FrameHeaderLen+len(pictur)))
	if b = append(b, pictur...); err != nil || !bytes.Equal(b, page["tcp-frame"]) {
		t.Errorf("encoded\n% x, %v, want\n% x", b, err, page["tcp-frame"])
	}
}

func TestExampleStreamHello(t *testing.T) {
	want := Hello{Common: Common{Type: TypeHello, Session: exampleViewer}, MaxFrame: 16 << 20}
	page := streamExamples(t)["tcp-hello"]
	body, err := want.AppendBinary(nil)
	if b := append(AppendLength(nil, len(body)), body...); err != nil || !bytes.Equal(b, page) {
		t.Errorf("encoded\n% x, %v, want\n% x", b, err, page)
	}
	var got Hello
	_, n, err := ParseMessage(page, 1)
	if err != nil || n != len(page)-LengthLen {
		t.Fatalf("got %d bytes, %v", n, err)
	}
	if err := got.Parse(page[LengthLen:]); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestMessageLengthIsBounded(t *testing.T) {
	const maxFrame = 1000
	for _, tt := range []struct {
		typ  Type
		n    uint32
		want error
	}{
		{TypeHello, 19, ErrInvalid},
		{TypeHello, 20, nil},
		{TypeHello, MaxControlLen, nil},
		{TypeHello, MaxControlLen + 1, ErrInvalid},
		{TypeData, 1 << 31, ErrInvalid},
		{15, MaxControlLen, nil}, // of a later minor version
		{15, MaxControlLen + 1, ErrInvalid},
		{TypeFrame, FrameHeaderLen, ErrInvalid},
		{TypeFrame, FrameHeaderLen + 1, nil},
		{TypeFrame, MaxFrameHeader + maxFrame, nil},
		{TypeFrame, MaxFrameHeader + maxFrame + 1, ErrInvalid},
		{TypeFrame, 1<<32 - 1, ErrInvalid},
	} {
		b := Common{}.append(binary.BigEndian.AppendUint32(nil, tt.n), tt.typ)
		if _, n, err := ParseMessage(b, maxFrame); !errors.Is(err, tt.want) || err == nil && n != int(tt.n) {
			t.Errorf("%v of %d bytes: got %d, %v, want %v", tt.typ, tt.n, n, err, tt.want)
		}
		if _, _, err := ParseMessage(b[:len(b)-1], maxFrame); !errors.Is(err, ErrShort) {
			t.Errorf("%v without its last common byte: got %v, want ErrShort", tt.typ, err)
		}
	}
}

func TestFrameHeaderRefuses(t *testing.T) {
	golden := goldenFrame()
	valid, err := golden.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(b []byte) []byte
		n      int
		want   error
	}{
		"nothing":                 {func(b []byte) []byte { return b }, 41, nil},
		"no JPEG":                 {func(b []byte) []byte { return b }, 40, ErrInvalid},
		"a short header":          {func(b []byte) []byte { b[36] = 9; return b }, 100, ErrInvalid},
		"no header length":        {func(b []byte) []byte { b[36] = 0; return b }, 100, ErrInvalid},
		"a header beyond the end": {func(b []byte) []byte { b[36] = 25; return b }, 100, ErrInvalid},
		"cut":                     {func(b []byte) []byte { return b[:39] }, 100, ErrShort},
		"another type":            {func(b []byte) []byte { b[2] = 0x11; return b }, 100, ErrType},
		"another version":         {func(b []byte) []byte { b[2] = 0x2b; return b }, 100, ErrVersion},
		"another magic":           {func(b []byte) []byte { b[0] = 'G'; return b }, 100, ErrMagic},
		"sealed":                  {func(b []byte) []byte { b[3] = FlagSealed; return b }, 100, ErrSealed},
	} {
		var h FrameHeader
		if _, err := h.Parse(tt.change(bytes.Clone(valid)), tt.n); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

// FuzzFrameMessage: what is accepted is within the bounds, and comes back as it was but
// for what this version does not write.
func FuzzFrameMessage(f *testing.F) {
	for _, b := range streamExamples(f) {
		f.Add(b)
	}
	const maxFrame = 1 << 20
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := bytes.Clone(b)
		c, n, err := ParseMessage(b, maxFrame)
		if err != nil {
			return
		}
		most := MaxControlLen
		if c.Type == TypeFrame {
			most = MaxFrameHeader + maxFrame
		}
		if n < CommonLen || n > most {
			t.Fatalf("%v of %d bytes was accepted", c.Type, n)
		}
		var h FrameHeader
		start, err := h.Parse(b[LengthLen:], n)
		if !bytes.Equal(b, whole) {
			t.Fatal("Parse has written to the message")
		}
		if err != nil {
			return
		}
		if start < FrameHeaderLen || start > MaxFrameHeader || start >= n || h.Common != c {
			t.Fatalf("got %+v, the JPEG at %d of %d", h, start, n)
		}
		again, err := h.AppendBinary(nil)
		if err != nil || len(again) != FrameHeaderLen || !bytes.Equal(again[:36], b[LengthLen:][:36]) {
			t.Fatalf("% x came back as % x, %v", b, again, err)
		}
	})
}
