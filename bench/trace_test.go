package bench

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTraces(t *testing.T) {
	sent, err := ReadSent(strings.NewReader(`{"captured":1000,"encoded":1200,"sent":1300,"bytes":9,"minflt":77}` + "\n" +
		`{"captured":2000,"encoded":2200,"sent":0,"bytes":8,"later":"fields are skipped"}` + "\n"))
	if want := []SentFrame{{1000, 1200, 1300, 9, 77}, {2000, 2200, 0, 8, 0}}; err != nil || !slices.Equal(sent, want) {
		t.Errorf("got %v, %v, want %v", sent, err, want)
	}
	shown, err := ReadShown(strings.NewReader(`{"captured":1000,"first":1400,"complete":1500,"decoded":1600,"bytes":9,"minflt":78}` + "\n" +
		`{"captured":2000,"first":2400,"complete":2500,"decoded":0,"bytes":7}` + "\n"))
	if want := []ShownFrame{{1000, 1400, 1500, 1600, 9, 78}, {2000, 2400, 2500, 0, 7, 0}}; err != nil || !slices.Equal(shown, want) {
		t.Errorf("got %v, %v, want %v", shown, err, want)
	}
}

// What is written is read back, every field of it, and costs no memory.
func TestTraceRoundTrip(t *testing.T) {
	sent, shown := []SentFrame{{1, 2, 3, 4, 5}, {6, 7, 0, 8, 0}}, []ShownFrame{{1, 2, 3, 4, 5, 6}, {maxTime, 7, 8, 0, 9, 0}}
	var a, b []byte
	for i := range 2 {
		a, b = sent[i].AppendJSON(a), shown[i].AppendJSON(b)
	}
	if got, err := ReadSent(bytes.NewReader(a)); err != nil || !slices.Equal(got, sent) {
		t.Errorf("%s: came back as %v, %v", a, got, err)
	}
	if got, err := ReadShown(bytes.NewReader(b)); err != nil || !slices.Equal(got, shown) {
		t.Errorf("%s: came back as %v, %v", b, got, err)
	}
	if n := testing.AllocsPerRun(10, func() { a = sent[0].AppendJSON(a[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A process may die at any byte of its trace.
func TestTraceCutAnywhereKeepsItsWholeLines(t *testing.T) {
	const line = `{"captured":1000,"encoded":1200,"sent":1300,"bytes":9}` + "\n"
	all := strings.Repeat(line, 3)
	for n := range len(all) + 1 {
		sent, err := ReadSent(strings.NewReader(all[:n]))
		if err != nil || len(sent) != n/len(line) {
			t.Fatalf("first %d bytes: got %d frames, %v, want %d", n, len(sent), err, n/len(line))
		}
	}
}

func TestNotATrace(t *testing.T) {
	const good = `{"captured":1}` + "\n"
	for text, want := range map[string]string{
		good + "what\n":                              "line 2: invalid character",
		"[]\n":                                       "line 1: json: cannot unmarshal array",
		good + good + "{}\n":                         "line 3 has no captured",
		`{"captured":-5}` + "\n":                     "-5 is out of range",
		`{"captured":1,"minflt":-7}` + "\n":          "-7 is out of range",
		`{"captured":1,"bytes":-1}` + "\n":           "-1 is out of range",
		`{"captured":9007199254740993}` + "\n":       "out of range",
		`{"captured":1e3}` + "\n":                    "line 1: json",
		`{"a":"` + strings.Repeat("x", 1024) + "\"}": "line 1 is longer than 1024 bytes",
		strings.Repeat("\x00", 5000):                 "longer than",
	} {
		_, err := ReadSent(strings.NewReader(text))
		if !errors.Is(err, ErrTrace) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzReadShown(f *testing.F) {
	f.Add(`{"captured":1000,"first":1400,"complete":1500,"decoded":1600,"bytes":9}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		frames, _ := ReadShown(strings.NewReader(text))
		r := Run{Point: Point{Transport: "udp", Scenario: scenario(1e9)}, Shown: frames}
		sane(t, r, Analyse(r))
	})
}
