package fragment

import (
	"bytes"
	"encoding"
	"errors"
	"hash/crc32"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// castagnoli is for hash/crc32: the tests do not take the package's own word for a CRC.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The sessions of the page's examples.
const (
	exampleSession = 0x1122334455667788 // the sender's
	exampleControl = 0xc1c2c3c4c5c6c7c8 // the sender's, of its control messages
	exampleViewer  = 0xa1a2a3a4a5a6a7a8
)

// message is what all control messages are.
type message interface {
	encoding.BinaryAppender
	Parse([]byte) error
}

func goldenMessages() map[string]message {
	common := func(t Type, session, sequence uint64) Common {
		return Common{Type: t, Session: session, Sequence: sequence}
	}
	return map[string]message{
		"announce": &Announce{
			Common: common(TypeAnnounce, exampleControl, 0), Width: 1280, Height: 720, MilliFPS: 29970,
			Started: 1789999995123456, Name: "door", Software: "framegram 0.1.0",
		},
		"hello":     &Hello{Common: common(TypeHello, exampleViewer, 3), Cookie: 0x0badc0de0badc0de, MaxFrame: 16 << 20, CanRepair: true},
		"challenge": &Challenge{Common: common(TypeChallenge, exampleControl, 0), Cookie: 0x0badc0de0badc0de, Viewer: exampleViewer},
		"report": &Report{
			Common: common(TypeReport, exampleViewer, 9), Of: exampleSession, Frame: 301, Shown: 298, Lost: 2, KernelDrops: 5,
			Highest: 25999, Received: 25990, Missing: 10, Reordered: 4, Jitter: 350, RTT: 1200, Queueing: 40,
			Complete: 299, Arrival: 94200,
		},
		"repair": &Repair{
			Common: common(TypeRepair, exampleViewer, 10), Of: exampleSession, Frame: 302,
			Missing: []Missing{{Block: 0, Bits: [32]byte{0x81, 0x04}}, {Block: 3}},
		},
		"ping":   &Ping{Common: common(TypePing, exampleViewer, 11), ID: 5, Sent: 1790000000123456},
		"pong":   &Pong{Common: common(TypePong, exampleControl, 1), ID: 5, Sent: 1790000000123456, Received: 1790000000124156, Answered: 1790000000124206},
		"bye":    &Bye{Common: common(TypeBye, exampleControl, 2), Reason: ByeEnd},
		"refuse": &Refuse{Common: common(TypeRefuse, exampleControl, 3), Reason: RefuseFull, Viewer: exampleViewer},
	}
}

// goldenData is a data example: its header, its fragment without padding, and how
// many bytes stand where this version puts none (padding, newer fields).
type goldenData struct {
	h       Header
	payload []byte
	padding int
	newer   int
}

func goldenDatagrams() map[string]goldenData {
	frame := exampleFrame()
	crc := crc32.Checksum(frame, castagnoli)
	h := func(sequence uint64, flags, index, parity uint8) Header {
		return Header{
			Common: Common{Type: TypeData, Flags: flags, Session: exampleSession, Sequence: sequence},
			Frame:  7, Captured: 1790000000123456, Blocks: 1, Index: index, Parity: parity, Shard: 64, Length: 100, CRC: crc,
		}
	}
	slice := Header{
		Common: Common{Type: TypeData, Flags: FlagSlice | 3<<4, Session: exampleSession, Sequence: 300},
		Frame:  1<<32 - 1, Captured: 1790000000123456, Block: 2, Shard: 64, Length: 10, Offset: 4096,
		CRC: crc32.Checksum([]byte("slice data"), castagnoli),
	}
	return map[string]goldenData{
		"data-first-fragment":       {h: h(0, 0, 0, 0), payload: frame[:64]},
		"data-last-fragment":        {h: h(1, 0, 1, 0), payload: frame[64:]},
		"data-last-fragment-padded": {h: h(1, 0, 1, 0), payload: frame[64:], padding: 28},
		"data-repair":               {h: h(2, FlagRepair, 1, 0), payload: frame[64:]},
		"data-newer-minor":          {h: h(1, 0, 1, 0), payload: frame[64:], newer: 4},
		"data-parity":               {h: h(2, 0, 2, 2), payload: nil}, // see TestParityExample
		"data-sealed":               {h: h(1, FlagSealed, 1, 0), payload: nil},
		"data-slice":                {h: slice, payload: []byte("slice data")},
	}
}

func TestExamplesAreAllTested(t *testing.T) {
	want := append(slices.Collect(maps.Keys(goldenMessages())), slices.Collect(maps.Keys(goldenDatagrams()))...)
	got := slices.Collect(maps.Keys(examples(t)))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("docs/PROTOCOL.md has the examples %q, tested are %q", got, want)
	}
}

func TestExampleMessages(t *testing.T) {
	page := examples(t)
	for name, want := range goldenMessages() {
		b, err := want.AppendBinary([]byte("before"))
		if err != nil || !bytes.Equal(b, append([]byte("before"), page[name]...)) {
			t.Errorf("%s: encoded\n% x, %v, want\n% x", name, b, err, page[name])
		}
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface().(message)
		if err := got.Parse(page[name]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: decoded\n%+v, %v, want\n%+v", name, got, err, want)
		}
	}
}

func TestExampleDatagrams(t *testing.T) {
	page := examples(t)
	for name, want := range goldenDatagrams() {
		var h Header
		payload, err := h.Parse(page[name])
		if err != nil || h != want.h {
			t.Errorf("%s: decoded\n%+v, %v, want\n%+v", name, h, err, want.h)
			continue
		}
		if want.payload != nil && !bytes.Equal(payload, want.payload) {
			t.Errorf("%s: fragment\n% x, want\n% x", name, payload, want.payload)
		}
		if want.newer != 0 {
			continue // nothing here writes newer fields
		}
		b, err := h.AppendBinary(nil)
		if err != nil || !bytes.Equal(b, page[name][:HeaderLen]) {
			t.Errorf("%s: encoded\n% x, %v, want\n% x", name, b, err, page[name][:HeaderLen])
		}
		if n := len(page[name]) - HeaderLen - len(payload); h.Flags&FlagSealed == 0 && n != want.padding {
			t.Errorf("%s: %d bytes of padding, want %d", name, n, want.padding)
		}
	}
}

// What Parse of each type says to each other type, to a sealed message and to
// another version.
func TestExampleMessagesOfAnotherKind(t *testing.T) {
	page := examples(t)
	for name, m := range goldenMessages() {
		for other, b := range page {
			if err := m.Parse(b); other != name && !errors.Is(err, ErrType) {
				t.Errorf("%s parsed as %s: got %v, want ErrType", other, name, err)
			}
		}
		sealed := append(bytes.Clone(page[name]), make([]byte, SealLen)...)
		sealed[3] |= FlagSealed
		if err := m.Parse(sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("sealed %s: got %v, want ErrSealed", name, err)
		}
		newer := bytes.Clone(page[name])
		newer[2] += 1 << 4
		if err := m.Parse(newer); !errors.Is(err, ErrVersion) || VersionOf(newer) != 2 {
			t.Errorf("%s of version %d: got %v, want ErrVersion of 2", name, VersionOf(newer), err)
		}
		var h Header
		if _, err := h.Parse(page[name]); !errors.Is(err, ErrType) {
			t.Errorf("%s parsed as data: got %v, want ErrType", name, err)
		}
	}
}
