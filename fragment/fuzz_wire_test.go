package fragment

import (
	"bytes"
	"reflect"
	"testing"
)

// addExamples seeds a target with the examples of docs/PROTOCOL.md.
func addExamples(f *testing.F) {
	f.Helper()
	for _, b := range examples(f) {
		f.Add(b)
	}
}

// FuzzHeader: what Parse accepts is in its ranges, and Append gives back what was
// parsed, up to what this version does not write: padding and newer fields.
func FuzzHeader(f *testing.F) {
	addExamples(f)
	f.Fuzz(func(t *testing.T, d []byte) {
		whole := bytes.Clone(d)
		var h Header
		payload, err := h.Parse(d)
		if !bytes.Equal(d, whole) {
			t.Fatal("Parse has written to the datagram")
		}
		if err != nil {
			return
		}
		checkDatagram(t, &h, payload)
		again, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatalf("%+v was parsed and cannot be appended: %v", h, err)
		}
		if len(again) != HeaderLen || !bytes.Equal(again[:37], d[:37]) || !bytes.Equal(again[38:], d[38:HeaderLen]) {
			t.Fatalf("% x came back as % x", d[:HeaderLen], again)
		}
		rest := d[int(d[37])*4:]
		if !bytes.HasPrefix(rest, payload) {
			t.Fatal("the fragment is not what stands behind the header")
		}
		padding := len(rest) - len(payload)
		if h.Flags&FlagSealed != 0 {
			padding -= SealLen
		}
		if padding != 0 && padding != h.Shard-len(payload) {
			t.Fatalf("%d bytes behind a fragment of %d in shards of %d", padding, len(payload), h.Shard)
		}
	})
}

// fuzzMessage: what Parse accepts is in its ranges and survives Append and Parse,
// and Append of it is never longer than what came.
func fuzzMessage[T any, M interface {
	*T
	message
}](f *testing.F) {
	addExamples(f)
	f.Fuzz(func(t *testing.T, d []byte) {
		m := M(new(T))
		if err := m.Parse(d); err != nil {
			return
		}
		checkMessage(t, m)
		again, err := m.AppendBinary(nil)
		if err != nil || len(again) > len(d) || !bytes.Equal(again[:CommonLen], d[:CommonLen]) {
			t.Fatalf("% x came back as % x, %v", d, again, err)
		}
		back := M(new(T))
		if err := back.Parse(again); err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}

func FuzzAnnounce(f *testing.F)  { fuzzMessage[Announce](f) }
func FuzzHello(f *testing.F)     { fuzzMessage[Hello](f) }
func FuzzChallenge(f *testing.F) { fuzzMessage[Challenge](f) }
func FuzzReport(f *testing.F)    { fuzzMessage[Report](f) }
func FuzzRepair(f *testing.F)    { fuzzMessage[Repair](f) }
func FuzzPing(f *testing.F)      { fuzzMessage[Ping](f) }
func FuzzPong(f *testing.F)      { fuzzMessage[Pong](f) }
func FuzzBye(f *testing.F)       { fuzzMessage[Bye](f) }
func FuzzRefuse(f *testing.F)    { fuzzMessage[Refuse](f) }
