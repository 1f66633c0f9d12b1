package netlab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framegram/framegram/internal/units"
)

// Grammar is the form of a link, in a line, for messages and help.
const Grammar = "PRESET, KEY=VALUE, or both, with commas between: lan, wifi, busy-wifi, vpn or bad; " +
	"rate=100mbit delay=5ms jitter=1ms loss=1% burst=3 reorder=0.1% duplicate=0.1% queue=64kB mtu=1500 seed=1 " +
	"squeeze=20mbit@5s+10s (the rate both ways from 5 s after the begin, for 10 s)"

// key is one KEY=VALUE. get needs the defaults filled in; set's error reads on from the
// value, and ranges are left to check.
type key struct {
	name, want string
	set        func(p *Params, value string) error
	get        func(p Params) string
}

// keys are in the order of the canonical form.
var keys = []key{
	{"rate", "bit/s such as 100mbit (bit, kbit, mbit, gbit) or unlimited", setRate, func(p Params) string {
		if p.Rate == 0 {
			return "unlimited"
		}
		return units.Format(p.Rate, units.Rates)
	}},
	timeKey("delay", func(p *Params) *time.Duration { return &p.Delay }),
	timeKey("jitter", func(p *Params) *time.Duration { return &p.Jitter }),
	shareKey("loss", func(p *Params) *float64 { return &p.Loss }),
	{"burst", "packets such as 3, the mean number lost in a row", func(p *Params, value string) (err error) {
		p.Burst, err = units.ParseNumber(value)
		if err == nil && p.Burst < 1 {
			err = errors.New("is less than 1")
		}
		return err
	}, func(p Params) string { return units.FormatNumber(p.Burst) }},
	shareKey("reorder", func(p *Params) *float64 { return &p.Reorder }),
	shareKey("duplicate", func(p *Params) *float64 { return &p.Duplicate }),
	{"queue", "bytes such as 64kB (B, kB, MB)", func(p *Params, value string) error {
		n, err := units.Parse(value, units.Sizes)
		p.Queue = int(min(n, maxQueue+1))
		return err
	}, func(p Params) string { return units.Format(int64(p.Queue), units.Sizes) }},
	{"mtu", "bytes such as 1500", func(p *Params, value string) error {
		n, err := units.ParseWhole(value)
		p.MTU = int(min(n, 1<<20))
		if err == nil && n == 0 {
			err = errors.New("is 0")
		}
		return err
	}, func(p Params) string { return fmt.Sprint(p.MTU) }},
	{"seed", "a whole number from 1", func(p *Params, value string) (err error) {
		p.Seed, err = units.ParseWhole(value)
		if err == nil && p.Seed == 0 {
			err = errors.New("is 0")
		}
		return err
	}, func(p Params) string { return fmt.Sprint(p.Seed) }},
	{"squeeze", "RATE@TIME+TIME such as 20mbit@5s+10s, or none", setSqueeze, func(p Params) string { return p.Squeeze.String() }},
}

func setRate(p *Params, value string) (err error) {
	p.Rate = 0
	if !strings.EqualFold(value, "unlimited") {
		p.Rate, err = units.Parse(value, units.Rates)
	}
	return err
}

func timeKey(name string, field func(*Params) *time.Duration) key {
	return key{name, "a time such as 5ms (ns, us, ms, s)", func(p *Params, value string) error {
		n, err := units.Parse(value, units.Times)
		*field(p) = time.Duration(n)
		return err
	}, func(p Params) string { return units.Format(int64(*field(&p)), units.Times) }}
}

func shareKey(name string, field func(*Params) *float64) key {
	return key{name, "a share such as 1%", func(p *Params, value string) error {
		n, err := units.Parse(value, units.Shares)
		*field(p) = float64(n) / 1e8
		return err
	}, func(p Params) string { return units.FormatNumber(units.Percent(*field(&p))) + "%" }}
}

// String is the canonical form, with every key but a squeeze that is none: [Parse]
// makes an equal link of it.
func (p Params) String() string {
	p = p.withDefaults()
	p.Queue = p.queue()
	var parts []string
	for _, k := range keys {
		if k.name != "squeeze" || p.Squeeze != (Squeeze{}) {
			parts = append(parts, k.name+"="+k.get(p))
		}
	}
	return strings.Join(parts, ",")
}

// Parse reads a link as users write it, see [Grammar]; nothing at all is a perfect one.
// A preset comes first and what follows changes it. The error is a *[ParseError].
func Parse(text string) (Params, error) {
	var p Params
	given := map[string]part{} // by key
	whole := part{text, 0, len(text)}.trim()
	for i, item := range whole.split() {
		name, value, pair := item.cut("=")
		preset := findPreset(item.String())
		switch {
		case whole.String() == "":
		case preset != nil && i > 0:
			return Params{}, item.fail(Grammar, "is a preset, which comes first")
		case preset != nil:
			p = preset.Params
		case !pair:
			return Params{}, item.fail(Grammar, "is neither a preset nor KEY=VALUE")
		default:
			k, err := findKey(name, Grammar)
			if err != nil {
				return Params{}, err
			}
			if _, twice := given[k.name]; twice {
				return Params{}, item.fail(Grammar, "gives %s a second time", k.name)
			}
			if err := k.set(&p, value.String()); err != nil {
				return Params{}, value.refuse(Grammar, err, k.want)
			}
			given[k.name] = item
		}
	}
	p = p.withDefaults()
	if name, err := p.check(); err != nil {
		item, ok := given[name]
		if !ok { // the preset or a default says so, and something that was given goes not with it
			item = whole
		}
		return Params{}, item.fail(Grammar, "cannot be: %s %w", name, err)
	}
	return p, nil
}

func findKey(name part, grammar string) (key, error) {
	for _, k := range keys {
		if strings.EqualFold(name.String(), k.name) {
			return k, nil
		}
	}
	return key{}, name.fail(grammar, "is no key")
}

func findPreset(name string) *Preset {
	for i := range Presets {
		if strings.EqualFold(name, Presets[i].Name) {
			return &Presets[i]
		}
	}
	return nil
}
