package netlab

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// unit is a factor with a name. Lists of them go from small to large.
type unit struct {
	name   string
	factor float64
}

var (
	rates  = []unit{{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}}
	times  = []unit{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}
	sizes  = []unit{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}}
	shares = []unit{{"%", 1e6}} // kept to a millionth of a percent, so that what is printed is what is meant
)

// parseQuantity reads a decimal number and its unit, in either case, as whole multiples
// of the list's factor 1. Only 0 needs no unit.
func parseQuantity(text string, units []unit) (int64, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ%")
	value, err := parseNumber(digits)
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

// parseNumber reads digits with at most one point: no sign, no exponent, no Inf.
func parseNumber(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, errors.New("is no number")
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errors.New("is no number")
	}
	return value, nil
}

// formatQuantity is the reverse, in the largest unit that leaves something before the
// point. A float64 has digits for all whole numbers up to 1e15.
func formatQuantity(value int64, units []unit) string {
	u := units[0]
	for _, larger := range units[1:] {
		if float64(value) >= larger.factor {
			u = larger
		}
	}
	return formatNumber(float64(value)/u.factor) + u.name
}

func formatNumber(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// percent is a share as it is printed.
func percent(share float64) float64 { return math.Round(share*1e8) / 1e6 }

// parseWhole reads a whole number.
func parseWhole(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errors.New("is no whole number")
	}
	return n, nil
}
