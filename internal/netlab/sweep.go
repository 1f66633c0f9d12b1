package netlab

import "strings"

// SweepGrammar is the form of a sweep, in a line.
const SweepGrammar = "KEY=VALUE,VALUE,... with a key of --link: loss=0,0.1%,0.5%,1%, delay=0,5ms,20ms or rate=10mbit,100mbit"

// maxSweep is how many values a sweep may have: each is minutes of somebody's time.
const maxSweep = 100

// Sweep is one key of a link with the values it shall have, one after the
// other. ParseSweep makes it.
type Sweep struct {
	Key    string
	Values []string // in canonical form: "0%", "0.1%"
	parts  []part   // where they were written
	key    key
}

// ParseSweep reads a sweep as users write it, see [SweepGrammar]. The error is a
// *[ParseError].
func ParseSweep(text string) (Sweep, error) {
	name, list, pair := part{text, 0, len(text)}.trim().cut("=")
	if !pair {
		return Sweep{}, name.fail(SweepGrammar, "is not KEY=VALUE,VALUE,...")
	}
	k, err := findKey(name, SweepGrammar)
	if err != nil {
		return Sweep{}, err
	}
	s := Sweep{Key: k.name, key: k}
	seen := map[string]bool{}
	for i, item := range list.split() {
		var p Params
		if err := k.set(&p, item.String()); err != nil {
			return Sweep{}, item.refuse(SweepGrammar, err, k.want)
		}
		value := k.get(p)
		switch {
		case i == maxSweep:
			return Sweep{}, item.fail(SweepGrammar, "is value %d, want at most %d", i+1, maxSweep)
		case seen[value]:
			return Sweep{}, item.fail(SweepGrammar, "is there already")
		}
		seen[value] = true
		s.Values, s.parts = append(s.Values, value), append(s.parts, item)
	}
	return s, nil
}

// String is the canonical form: [ParseSweep] makes an equal sweep of it.
func (s Sweep) String() string { return s.Key + "=" + strings.Join(s.Values, ",") }

// Over returns base with each of the values. The error, a *[ParseError], is for a value
// that is out of range or does not go with the rest of base.
func (s Sweep) Over(base Params) ([]Params, error) {
	links := make([]Params, len(s.Values))
	for i, value := range s.Values {
		p := base.withDefaults()
		if err := s.key.set(&p, value); err != nil {
			return nil, s.parts[i].fail(SweepGrammar, "%w", err)
		}
		if wrong, err := p.check(); err != nil {
			return nil, s.parts[i].fail(SweepGrammar, "does not go with the link %v: %s %w", base, wrong, err)
		}
		links[i] = p
	}
	return links, nil
}
