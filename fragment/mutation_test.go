package fragment

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func tooShort(err error) bool { return errors.Is(err, ErrShort) || errors.Is(err, ErrMagic) }

func TestTruncatedMessages(t *testing.T) {
	page := examples(t)
	for name, m := range goldenMessages() {
		for n := range page[name] {
			if err := m.Parse(page[name][:n:n]); !tooShort(err) {
				t.Errorf("first %d bytes of %s: got %v, want ErrShort or ErrMagic", n, name, err)
			}
		}
	}
}

func TestTruncatedDatagrams(t *testing.T) {
	page := examples(t)
	for name, want := range goldenDatagrams() {
		b := page[name]
		head := HeaderLen + want.newer
		if want.h.Flags&FlagSealed != 0 {
			head += SealLen
		}
		for n := range b {
			var h Header
			payload, err := h.Parse(b[:n:n])
			switch {
			case n < head && !tooShort(err):
				t.Errorf("first %d bytes of %s: got %v, want ErrShort or ErrMagic", n, name, err)
			case n == len(b)-want.padding && want.padding > 0:
				if err != nil || !bytes.Equal(payload, want.payload) {
					t.Errorf("%s without its padding: got % x, %v", name, payload, err)
				}
			case n >= head && !errors.Is(err, ErrInvalid):
				t.Errorf("first %d bytes of %s: got %v, want ErrInvalid", n, name, err)
			}
		}
	}
}

// A later minor version may append fields to any control message.
func TestMessagesWithNewerFields(t *testing.T) {
	page := examples(t)
	for name, want := range goldenMessages() {
		for n := 1; n <= 64; n++ {
			got := reflect.New(reflect.TypeOf(want).Elem()).Interface().(message)
			longer := append(bytes.Clone(page[name]), bytes.Repeat([]byte{0xee}, n)...)
			if err := got.Parse(longer); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s and %d bytes: got %+v, %v, want %+v", name, n, got, err, want)
			}
		}
	}
}

// Data is not as lenient: bytes behind the fragment would be parts of the picture.
func TestDatagramsWithExtraBytes(t *testing.T) {
	page := examples(t)
	for name := range goldenDatagrams() {
		for n := 1; n <= 8; n++ { // fewer than would pad any of them to a shard
			var h Header
			if _, err := h.Parse(append(bytes.Clone(page[name]), make([]byte, n)...)); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s and %d bytes: got %v, want ErrInvalid", name, n, err)
			}
		}
	}
}

// Every single flipped bit: no panic, and whatever is accepted is in its range.
func TestFlippedBits(t *testing.T) {
	page := examples(t)
	messages := goldenMessages()
	for name, whole := range page {
		for bit := range len(whole) * 8 {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			if m := messages[name]; m != nil {
				if err := m.Parse(b); err == nil {
					checkMessage(t, m)
				}
				continue
			}
			var h Header
			if payload, err := h.Parse(b); err == nil {
				checkDatagram(t, &h, payload)
			}
		}
	}
}

// checkMessage holds a parsed message against the ranges that its type documents.
func checkMessage(t *testing.T, m message) {
	t.Helper()
	switch m := m.(type) {
	case *Announce:
		if len(m.Name) > 64 || len(m.Software) > 64 {
			t.Errorf("texts of %d and %d bytes, want at most 64", len(m.Name), len(m.Software))
		}
	case *Repair:
		if len(m.Missing) < 1 || len(m.Missing) > 32 {
			t.Errorf("%d blocks, want 1..32", len(m.Missing))
		}
		for i := 1; i < len(m.Missing); i++ {
			if m.Missing[i].Block <= m.Missing[i-1].Block {
				t.Errorf("block %d behind block %d", m.Missing[i].Block, m.Missing[i-1].Block)
			}
		}
	}
}

// checkDatagram holds a parsed data header against the page, in other words than
// check's.
func checkDatagram(t *testing.T, h *Header, payload []byte) {
	t.Helper()
	k := 0
	for n := 0; n < h.Length; n += h.Shard {
		k++
	}
	room := 0
	for n := 1; h.Parity > 0 && room < int(h.Parity); n *= 2 {
		room = n
	}
	want := h.Shard
	if int(h.Index) == k-1 {
		want = h.Length - (k-1)*h.Shard
	}
	if h.Type != TypeData || h.Shard < 64 || h.Shard > 255*64 || h.Shard%64 != 0 ||
		h.Length < 1 || h.Offset < 0 || h.Offset+h.Length > 16<<20 ||
		k+room > 256 || int(h.Index) >= k+int(h.Parity) ||
		h.Block > 254 || (h.Blocks > 0 && h.Block >= h.Blocks) || len(payload) != want {
		t.Errorf("accepted %+v with %d bytes", *h, len(payload))
	}
}
