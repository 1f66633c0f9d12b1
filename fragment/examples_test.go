package fragment

import (
	"bytes"
	"encoding/hex"
	"maps"
	"os"
	"strings"
	"testing"
)

// examples are the page's datagrams.
func examples(t testing.TB) map[string][]byte {
	t.Helper()
	found := pageExamples(t)
	maps.DeleteFunc(found, func(name string, _ []byte) bool { return strings.HasPrefix(name, "tcp-") })
	return found
}

// streamExamples are the page's messages on a stream, each with its length before it.
func streamExamples(t testing.TB) map[string][]byte {
	t.Helper()
	found := pageExamples(t)
	maps.DeleteFunc(found, func(name string, _ []byte) bool { return !strings.HasPrefix(name, "tcp-") })
	return found
}

// pageExamples reads the hex examples of docs/PROTOCOL.md: fenced blocks that begin
// with "```hex NAME", in which a line is hex bytes and, behind a semicolon, what
// they are.
func pageExamples(t testing.TB) map[string][]byte {
	t.Helper()
	page, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	name := ""
	for n, line := range strings.Split(string(page), "\n") {
		switch start, ok := strings.CutPrefix(line, "```hex "); {
		case ok:
			name = start
			if found[name] != nil {
				t.Fatalf("docs/PROTOCOL.md:%d: a second example %s", n+1, name)
			}
		case strings.HasPrefix(line, "```"):
			name = ""
		case name != "":
			text, _, _ := strings.Cut(line, ";")
			b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
			if err != nil {
				t.Fatalf("docs/PROTOCOL.md:%d: %v", n+1, err)
			}
			found[name] = append(found[name], b...)
		}
	}
	return found
}

// plainBlock returns the bytes of the page's unnamed fenced block that stands
// directly below a line containing after.
func plainBlock(t testing.TB, after string) []byte {
	t.Helper()
	page, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), after)
	if !ok {
		t.Fatalf("docs/PROTOCOL.md does not say %q", after)
	}
	_, rest, _ = strings.Cut(rest, "\n```\n")
	text, _, _ := strings.Cut(rest, "\n```")
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exampleFrame is frame 7 of the worked example: the bytes 0..99.
func exampleFrame() []byte {
	b := make([]byte, 100)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// The page's worked example is what the Splitter makes of that frame.
func TestExampleIsWhatTheSplitterSends(t *testing.T) {
	page := examples(t)
	s, err := NewSplitter(64)
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := s.Split(7, 1790000000123456, exampleFrame())
	if err != nil || len(datagrams) != 2 {
		t.Fatalf("got %d datagrams, %v, want 2", len(datagrams), err)
	}
	s.Stamp(0, len(datagrams), exampleSession, 0)
	for i, name := range []string{"data-first-fragment", "data-last-fragment"} {
		if got := append(bytes.Clone(datagrams[i].Header), datagrams[i].Payload...); !bytes.Equal(got, page[name]) {
			t.Errorf("%s: got\n% x, want\n% x", name, got, page[name])
		}
	}
}
