package fragment

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnnounceTexts(t *testing.T) {
	long := strings.Repeat("x", 63)
	for in, want := range map[string]string{
		"":                          "",
		long + "y":                  long + "y",
		long + "yz":                 long + "y",
		long + "é":                  long, // two bytes, of which one would fit
		long + "y" + "é":            long + "y",
		strings.Repeat("日本", 20):    strings.Repeat("日本", 10) + "日", // 63 bytes
		strings.Repeat("\x80", 100): "",                             // no character begins anywhere
	} {
		b, err := (&Announce{Name: in, Software: "s"}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var got Announce
		if err := got.Parse(b); err != nil || got.Name != want || got.Software != "s" {
			t.Errorf("%q came back as %q, %q, %v, want %q", in, got.Name, got.Software, err, want)
		}
		if utf8.ValidString(in) && !utf8.ValidString(got.Name) {
			t.Errorf("%q was cut inside a character: %q", in, got.Name)
		}
	}
}

func TestAnnounceRefusesLongTexts(t *testing.T) {
	b := Common{}.append(nil, TypeAnnounce)
	b = append(append(b, make([]byte, 16)...), 65)
	b = append(append(b, make([]byte, 65)...), 0)
	if err := new(Announce).Parse(b); !errors.Is(err, ErrInvalid) {
		t.Errorf("a name of 65 bytes: got %v, want ErrInvalid", err)
	}
}

func TestRepairRules(t *testing.T) {
	blocks := func(index ...uint8) (m []Missing) {
		for _, i := range index {
			m = append(m, Missing{Block: i, Bits: [32]byte{31: 0x80}})
		}
		return m
	}
	var all []uint8
	for i := range uint8(33) {
		all = append(all, i)
	}
	tests := []struct {
		name    string
		missing []Missing
		ok      bool
	}{
		{"none", nil, false},
		{"one", blocks(254), true},
		{"32", blocks(all[:32]...), true},
		{"33", blocks(all...), false},
		{"twice the same", blocks(4, 4), false},
		{"descending", blocks(4, 3), false},
	}
	for _, tt := range tests {
		want := &Repair{Missing: tt.missing}
		b, err := want.AppendBinary([]byte("x"))
		if tt.ok != (err == nil) || !tt.ok && (!errors.Is(err, ErrInvalid) || string(b) != "x") {
			t.Errorf("%s: encoding gave % x, %v", tt.name, b, err)
			continue
		}
		if !tt.ok {
			continue
		}
		got := &Repair{Missing: make([]Missing, 3)}
		if err := got.Parse(b[1:]); err != nil || !reflect.DeepEqual(got.Missing, want.Missing) {
			t.Errorf("%s: came back as %+v, %v", tt.name, got.Missing, err)
		}
	}
}

func TestRepairRefuses(t *testing.T) {
	head := Common{}.append(nil, TypeRepair)
	head = append(head, make([]byte, 12)...)
	tests := []struct {
		name string
		rest []byte
		want error
	}{
		{"no blocks", []byte{0, 0, 0, 0}, ErrInvalid},
		{"33 blocks", append([]byte{33, 0, 0, 0}, make([]byte, 66)...), ErrInvalid},
		{"bitmap of 33 bytes", append([]byte{1, 0, 0, 0, 0, 33}, make([]byte, 33)...), ErrInvalid},
		{"trailing zero", []byte{1, 0, 0, 0, 0, 2, 1, 0}, ErrInvalid},
		{"a block twice", []byte{2, 0, 0, 0, 5, 0, 5, 0}, ErrInvalid},
		{"descending", []byte{2, 0, 0, 0, 5, 0, 4, 0}, ErrInvalid},
		{"second block missing", []byte{2, 0, 0, 0, 5, 0}, ErrShort},
		{"bitmap cut", []byte{1, 0, 0, 0, 5, 3, 1, 1}, ErrShort},
	}
	for _, tt := range tests {
		if err := new(Repair).Parse(append(head[:len(head):len(head)], tt.rest...)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// No answer is longer than what asked for it: nothing is amplified for who forges
// addresses.
func TestAnswersAreNotLonger(t *testing.T) {
	size := func(m message) int {
		b, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	hello, ping := size(&Hello{}), size(&Ping{})
	for _, answer := range []message{&Challenge{}, &Refuse{}} {
		if n := size(answer); n > hello {
			t.Errorf("%T of %d bytes answers a Hello of %d", answer, n, hello)
		}
	}
	if n := size(&Pong{}); n > ping {
		t.Errorf("a Pong of %d bytes answers a Ping of %d", n, ping)
	}
}
