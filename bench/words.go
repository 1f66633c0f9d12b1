package bench

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// place names a point and who was measured there, for a sentence.
func (p Point) place() string { return p.Name() + " at " + p.where() }

// where is what a sweep varied, or else the link.
func (p Point) where() string {
	if p.Sweep.Key != "" {
		return plain(p.Sweep.Key + " " + p.Sweep.Value)
	}
	return plain(p.link())
}

// link is what it is called: of a preset that is less than what it does.
func (p Point) link() string { return cmp.Or(p.LinkName, p.Link) }

// base is the link without its swept parameter, behind its name if it has one.
func (p Point) base() string {
	if p.LinkName != "" {
		return p.LinkName + " (" + p.parameters() + ")"
	}
	return p.parameters()
}

func (p Point) parameters() string {
	if p.Sweep.Key == "" {
		return p.Link
	}
	var rest []string
	for part := range strings.SplitSeq(p.Link, ",") {
		if key, _, _ := strings.Cut(part, "="); strings.TrimSpace(key) != p.Sweep.Key {
			rest = append(rest, strings.TrimSpace(part))
		}
	}
	return strings.Join(rest, ",")
}

// short writes a figure in five characters or little more.
func short(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return "never"
	case a > 0 && a < 0.0995:
		return fmt.Sprintf("%.3f", v)
	case a < 9.995:
		return fmt.Sprintf("%.2f", v)
	case a < 99.95:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

// percent writes a share. What is not all is never rounded up to 100, nor what is not
// nothing down to 0.
func percent(share float64) string {
	switch p := share * 100; {
	case math.IsNaN(p):
		return "–"
	case p <= 0:
		return "0"
	case p < 0.1:
		return "<0.1"
	case p >= 100:
		return "100"
	case p >= 99: // where a hundredth matters
		return fmt.Sprintf("%.2f", min(p, 99.99))
	default:
		return fmt.Sprintf("%.1f", p)
	}
}

// brief writes a deadline: "33.3 ms".
func brief(d time.Duration) string {
	return strconv.FormatFloat(math.Round(float64(d.Microseconds())/100)/10, 'f', -1, 64) + " ms"
}

func number(n int) string { return strconv.Itoa(n) }

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// list is "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// plain is text from outside for a terminal: one line, nothing that steers it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
