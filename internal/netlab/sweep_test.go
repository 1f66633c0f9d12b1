package netlab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSweep(t *testing.T) {
	for text, want := range map[string]string{
		"loss=0,0.1%,0.5%,1%":            "loss=0%,0.1%,0.5%,1%",
		"delay=0,5ms,20ms":               "delay=0ns,5ms,20ms",
		" Rate = 10mbit , 100mbit ":      "rate=10mbit,100mbit",
		"burst=1,2.5":                    "burst=1,2.5",
		"seed=1,2,3":                     "seed=1,2,3",
		"rate=unlimited,1gbit":           "rate=unlimited,1gbit",
		"queue=64kB,0.5MB":               "queue=64kB,500kB",
		"mtu=1280,1500":                  "mtu=1280,1500",
		"jitter=1ms":                     "jitter=1ms",
		"reorder=1%":                     "reorder=1%",
		"duplicate=1%,2%,3%,4%,5%,6%,7%": "duplicate=1%,2%,3%,4%,5%,6%,7%",
	} {
		s, err := ParseSweep(text)
		if err != nil || s.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, s, err, want)
		}
	}
	s, err := ParseSweep("rate=10mbit,1gbit")
	if err != nil {
		t.Fatal(err)
	}
	links, err := s.Over(mustParse(t, "delay=5ms,loss=1%"))
	if err != nil || len(links) != 2 {
		t.Fatal(links, err)
	}
	for i, want := range []string{"rate=10mbit,delay=5ms,jitter=0ns,loss=1%,burst=1,reorder=0%,duplicate=0%,queue=64kB,mtu=1500,seed=1",
		"rate=1gbit,delay=5ms,jitter=0ns,loss=1%,burst=1,reorder=0%,duplicate=0%,queue=2.5MB,mtu=1500,seed=1"} {
		if got := links[i].String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if links, err := s.Over(Params{}); err != nil || links[0].MTU != 1500 {
		t.Errorf("over the zero link: %+v, %v", links, err)
	}
}

func TestSweepErrors(t *testing.T) {
	many := make([]string, maxSweep+1)
	for i := range many {
		many[i] = fmt.Sprint(i + 1)
	}
	for text, want := range map[string]struct{ part, says string }{
		"":                                {"", "is not KEY=VALUE"},
		"loss":                            {"loss", "is not KEY=VALUE"},
		"los=1%":                          {"los", "is no key"},
		"loss=":                           {"", "is no number"},
		"loss=0,0.1%,0.5,1%":              {"0.5", "has no unit, want a share such as 1%"},
		"loss=0,0.1%,,1%":                 {"", "is no number"},
		"loss=1%,2%,1.0%":                 {"1.0%", "is there already"},
		"loss=1%,delay=5ms":               {"delay=5ms", "is no number"},
		"seed=" + strings.Join(many, ","): {"101", "want at most 100"},
		"delay=5ms,20m":                   {"20m", "unknown unit"},
		"rate=10mbit,fast":                {"fast", "is no number"},
	} {
		_, err := ParseSweep(text)
		var wrong *ParseError
		if !errors.As(err, &wrong) || text[wrong.Start:wrong.End] != want.part || !strings.Contains(err.Error(), want.says) || !strings.Contains(err.Error(), SweepGrammar) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	for _, c := range []struct {
		text, part string
		base       Params
	}{
		{"loss=0,101%", "101%", Params{}},
		{"loss=1%,50%,100%", "", Params{Burst: 1}},
		{"loss=1%,90%,100%", "90%", Params{Burst: 3}},
		{"delay=2ms,1ms", "1ms", Params{Delay: 2 * time.Millisecond, Jitter: 2 * time.Millisecond}},
		{"mtu=1500,9000", "9000", Params{Queue: 5000}},
	} {
		s, err := ParseSweep(c.text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Over(c.base)
		var wrong *ParseError
		if c.part == "" && err != nil || c.part != "" && (!errors.As(err, &wrong) || c.text[wrong.Start:wrong.End] != c.part) {
			t.Errorf("%s over %v: got %v, want %q", c.text, c.base, err, c.part)
		}
	}
}

func FuzzParseSweep(f *testing.F) {
	for _, text := range []string{"loss=0,0.1%,0.5%,1%", "delay=0,5ms,20ms", "rate=10mbit,100mbit,unlimited", "seed=1,2", "queue=64kB", "loss=,", "mtu=1500,1501"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSweep(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		again, err := ParseSweep(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is %s, which comes back as %s, %v", text, s, again, err)
		}
		links, err := s.Over(Params{})
		if err != nil {
			checkError(t, text, err)
			return
		}
		for i, p := range links {
			if name, err := p.check(); err != nil {
				t.Fatalf("%q: link %d: %s %v", text, i, name, err)
			}
		}
	})
}
