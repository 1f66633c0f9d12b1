// Package units reads and writes quantities as people do: 80mbit, 1.5ms, 64kB, 0.1%.
package units

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Unit is a factor with a name. Lists of them go from small to large.
type Unit struct {
	name   string
	factor float64
}

// What is measured.
var (
	Rates  = []Unit{{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}}
	Times  = []Unit{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}
	Sizes  = []Unit{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}}
	Shares = []Unit{{"%", 1e6}} // kept to a millionth of a percent, so that what is printed is what is meant
)

// Parse reads a decimal number and its unit, in either case, as whole multiples
// of the list's factor 1. Only 0 needs no unit.
func Parse(text string, units []Unit) (int64, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ%")
	value, err := ParseNumber(digits)
	if err != nil {
		return 0, err
	}
	name := strings.Replace(text[len(digits):], "µ", "u", 1)
	if name == "" && value == 0 {
		return 0, nil
	}
	for _, u := range units {
		if strings.EqualFold(name, u.name) {
			value = math.Round(value * u.factor)
			if value > 1e15 {
				return 0, errors.New("is far too large")
			}
			return int64(value), nil
		}
	}
	if name == "" {
		return 0, errors.New("has no unit")
	}
	return 0, errors.New("has an unknown unit")
}

// ParseNumber reads digits with at most one point: no sign, no exponent, no Inf.
func ParseNumber(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, errors.New("is no number")
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errors.New("is no number")
	}
	return value, nil
}

// Format is the reverse, in the largest unit that leaves something before the
// point. A float64 has digits for all whole numbers up to 1e15.
func Format(value int64, units []Unit) string {
	u := units[0]
	for _, larger := range units[1:] {
		if float64(value) >= larger.factor {
			u = larger
		}
	}
	return FormatNumber(float64(value)/u.factor) + u.name
}

// FormatNumber is value with as many digits as it needs.
func FormatNumber(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// Percent is a share as it is printed.
func Percent(share float64) float64 { return math.Round(share*1e8) / 1e6 }

// ParseWhole reads a whole number.
func ParseWhole(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errors.New("is no whole number")
	}
	return n, nil
}
