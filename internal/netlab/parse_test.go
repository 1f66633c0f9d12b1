package netlab

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func mustParse(t testing.TB, text string) Params {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	perfect := Params{Burst: 1, MTU: 1500, Seed: 1}
	full := Params{Rate: 100e6, Delay: 5 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.01, Burst: 3, Reorder: 0.001, Duplicate: 0.001, Queue: 64000, MTU: 1500, Seed: 1}
	wifi := Presets[1].Params.withDefaults()
	lossy := wifi
	lossy.Loss = 0.02
	for text, want := range map[string]Params{
		"":    perfect,
		" \t": perfect,
		"rate=100mbit,delay=5ms,jitter=1ms,loss=1%,burst=3,reorder=0.1%,duplicate=0.1%,queue=64kB,mtu=1500,seed=1": full,
		" RATE = 0.1Gbit , delay=5000us,jitter=1000µs,loss=1.0%,burst=3.0,reorder=.1%,duplicate=0.1%,queue=64KB":   full,
		"wifi":            wifi,
		"WiFi,loss=2%":    lossy,
		"wifi, loss = 2%": lossy,
		"rate=unlimited,delay=0,jitter=0,loss=0,duplicate=0%,queue=0": perfect,
		"loss=100%,burst=50":                  {Loss: 1, Burst: 50, MTU: 1500, Seed: 1},
		"mtu=65535,seed=18446744073709551615": {Burst: 1, MTU: 65535, Seed: 1<<64 - 1},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestCanonicalForm(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "rate=unlimited,delay=0ns,jitter=0ns,loss=0%,burst=1,reorder=0%,duplicate=0%,queue=0B,mtu=1500,seed=1",
		"rate=10mbit":             "rate=10mbit,delay=0ns,jitter=0ns,loss=0%,burst=1,reorder=0%,duplicate=0%,queue=64kB,mtu=1500,seed=1",
		"rate=100mbit":            "rate=100mbit,delay=0ns,jitter=0ns,loss=0%,burst=1,reorder=0%,duplicate=0%,queue=250kB,mtu=1500,seed=1",
		"lan":                     "rate=1gbit,delay=200us,jitter=50us,loss=0%,burst=1,reorder=0%,duplicate=0%,queue=512kB,mtu=1500,seed=1",
		"wifi":                    "rate=200mbit,delay=2ms,jitter=1.5ms,loss=0.1%,burst=2,reorder=0%,duplicate=0%,queue=256kB,mtu=1500,seed=1",
		"busy-wifi":               "rate=40mbit,delay=8ms,jitter=6ms,loss=1%,burst=4,reorder=0%,duplicate=0%,queue=256kB,mtu=1500,seed=1",
		"vpn":                     "rate=50mbit,delay=15ms,jitter=1ms,loss=0.1%,burst=1,reorder=0.1%,duplicate=0%,queue=256kB,mtu=1420,seed=1",
		"bad":                     "rate=10mbit,delay=40ms,jitter=15ms,loss=5%,burst=5,reorder=1%,duplicate=0.5%,queue=64kB,mtu=1500,seed=1",
		"loss=7%,duplicate=0.07%": "rate=unlimited,delay=0ns,jitter=0ns,loss=7%,burst=1,reorder=0%,duplicate=0.07%,queue=0B,mtu=1500,seed=1",
	} {
		p := mustParse(t, text)
		if got := p.String(); got != want {
			t.Errorf("%q: got\n%s, want\n%s", text, got, want)
		}
		if again := mustParse(t, want); again.String() != want {
			t.Errorf("%s comes back as\n%s", want, again)
		}
	}
	for _, p := range Presets {
		if name, err := p.Params.withDefaults().check(); err != nil {
			t.Errorf("%s: %s %v", p.Name, name, err)
		}
		if !strings.Contains(Grammar, p.Name) {
			t.Errorf("the grammar does not know %s", p.Name)
		}
	}
	for _, k := range keys {
		if !strings.Contains(Grammar, k.name+"=") {
			t.Errorf("the grammar does not know %s", k.name)
		}
	}
}

// Every error names the part that is wrong, and only that.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]struct{ part, says string }{
		"rate=100mbit,delay=5":         {"5", "has no unit, want a time such as 5ms"},
		"delay=5 ms":                   {"5 ms", "is no number"},
		"delay=-5ms":                   {"-5ms", "is no number"},
		"delay=11s":                    {"delay=11s", "want 0..10s"},
		"delay=1e3ms":                  {"1e3ms", "is no number"},
		"delay=ms":                     {"ms", "is no number"},
		"delay=5ms,jitter=6ms":         {"jitter=6ms", "no more than the delay, 5ms"},
		"delay=5ms,loss":               {"loss", "neither a preset nor KEY=VALUE"},
		"wlan":                         {"wlan", "neither a preset nor KEY=VALUE"},
		"delay=5ms,wifi":               {"wifi", "comes first"},
		"wifi,lan":                     {"lan", "comes first"},
		"wifi,":                        {"", "neither a preset nor KEY=VALUE"},
		"loss=1%,los=2%":               {"los", "is no key"},
		"loss=1%,burst=2,loss=1%":      {"loss=1%", "gives loss a second time"},
		"loss=0.01":                    {"0.01", "has no unit, want a share such as 1%"},
		"loss=101%":                    {"loss=101%", "loss is 101%, want 0..100%"},
		"loss=":                        {"", "is no number"},
		"loss=NaN%":                    {"NaN%", "is no number"},
		"loss=1.2.3%":                  {"1.2.3%", "is no number"},
		"rate=7kbit":                   {"rate=7kbit", "want 8kbit..10gbit"},
		"rate=11gbit":                  {"rate=11gbit", "want 8kbit..10gbit"},
		"rate=9999999999999999999gbit": {"9999999999999999999gbit", "far too large"},
		"rate=100mbps":                 {"100mbps", "unknown unit, want bit/s such as 100mbit"},
		"queue=100B":                   {"queue=100B", "at least one packet, 1500"},
		"queue=2000MB":                 {"queue=2000MB", "at most 1000MB"},
		"mtu=1279":                     {"mtu=1279", "want 1280..65535"},
		"mtu=0":                        {"0", "is 0"},
		"mtu=1500B":                    {"1500B", "is no whole number"},
		"seed=0":                       {"0", "is 0"},
		"seed=1.5":                     {"1.5", "is no whole number"},
		"seed=18446744073709551616":    {"18446744073709551616", "is no whole number"},
		"burst=0.5":                    {"0.5", "is less than 1"},
		"burst=2000":                   {"burst=2000", "want 1..1000"},
		"loss=80%,burst=3":             {"burst=3", "bursts of that length lose at most 75% of the packets, or all, and loss is 80%"},
		"wifi,delay=1ms":               {"wifi,delay=1ms", "jitter is 1.5ms"},
		"grüße,loss=1%":                {"grüße", "neither"},
		"delay=5ms,loss=\x00":          {"\x00", "is no number"},
		strings.Repeat("loss=1%,", 3) + "delay=1ms": {"loss=1%", "a second time"},
	} {
		_, err := Parse(text)
		var wrong *ParseError
		if !errors.As(err, &wrong) {
			t.Errorf("%q: got %v", text, err)
			continue
		}
		if part := text[wrong.Start:wrong.End]; part != want.part || !strings.Contains(err.Error(), want.says) || !strings.Contains(err.Error(), Grammar) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, %v", text, part, err)
		}
	}
}

func TestErrorPointsAtThePart(t *testing.T) {
	_, err := Parse("grüße=1,loss=2")
	const want = `"grüße" at character 1 of "grüße=1,loss=2" is no key; want ` + Grammar
	if err.Error() != want {
		t.Errorf("got %s", err)
	}
	for text, want := range map[string]string{
		"rate=1mbit,loss=2": "rate=1mbit,loss=2\n                ^",
		"delay=1ms,grüße=1": "delay=1ms,grüße=1\n          ^^^^^",
		"lan,":              "lan,\n    ^",
		"lan,\t\x1bx":       "lan,  x\n     ^^",
	} {
		_, err := Parse(text)
		var wrong *ParseError
		if !errors.As(err, &wrong) || wrong.Caret() != want {
			t.Errorf("%q: got %v\n%s", text, err, wrong.Caret())
		}
	}
}

// What can be parsed is in range, and its canonical form means the same.
func FuzzParse(f *testing.F) {
	for _, p := range Presets {
		f.Add(p.Name)
		f.Add(p.Params.String())
	}
	f.Add("wifi, loss=2%,RATE=unlimited , delay=.5µs")
	f.Add("loss=0.0000001%,seed=0")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		if name, err := p.check(); err != nil {
			t.Fatalf("%q: %s %v", text, name, err)
		}
		again, err := Parse(p.String())
		p.Queue = p.queue()
		if err != nil || again != p {
			t.Fatalf("%q is %s, which comes back as %+v, %v", text, p, again, err)
		}
	})
}

// checkError holds an error of a parser to what ParseError promises.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var wrong *ParseError
	if !errors.As(err, &wrong) {
		t.Fatalf("%q: %v is no ParseError", text, err)
	}
	if wrong.Text != text || wrong.Start < 0 || wrong.End < wrong.Start || wrong.End > len(text) {
		t.Fatalf("%q: points at %d..%d", text, wrong.Start, wrong.End)
	}
	if strings.ContainsAny(wrong.Error(), "\r\n") || strings.Count(wrong.Caret(), "\n") != 1 {
		t.Fatalf("%q: %v\n%s", text, err, wrong.Caret())
	}
}
