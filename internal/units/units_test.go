package units

import (
	"math"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text  string
		units []Unit
		want  int64
	}{
		{"80mbit", Rates, 80e6},
		{"1.5gbit", Rates, 1.5e9},
		{"900KBIT", Rates, 900e3},
		{"12bit", Rates, 12},
		{".5bit", Rates, 1},
		{"0", Rates, 0},
		{"0.0", Times, 0},
		{"0s", Times, 0},
		{"200us", Times, 200e3},
		{"200µs", Times, 200e3},
		{"1.25ms", Times, 1.25e6},
		{"64kB", Sizes, 64e3},
		{"64kb", Sizes, 64e3},
		{"0.000001%", Shares, 1},
		{"100%", Shares, 1e8},
		{"1000000gbit", Rates, 1e15},
	} {
		if got, err := Parse(tt.text, tt.units); got != tt.want || err != nil {
			t.Errorf("%q is %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":              "is no number",
		"mbit":          "is no number",
		"-1mbit":        "is no number",
		"+1mbit":        "is no number",
		"1e9bit":        "is no number",
		"1.2.3bit":      "is no number",
		".bit":          "is no number",
		"Infbit":        "is no number",
		"0x10bit":       "is no number",
		"1 mbit":        "is no number",
		"80":            "has no unit",
		"80ms":          "has an unknown unit",
		"80mbits":       "has an unknown unit",
		"80mbit/s":      "is no number",
		"80%":           "has an unknown unit",
		"1000001gbit":   "is far too large",
		"9999999e9gbit": "is no number",
	} {
		if got, err := Parse(text, Rates); err == nil || err.Error() != want {
			t.Errorf("%q is %d, %v, want: %s", text, got, err, want)
		}
	}
	if got, err := Parse(strings.Repeat("9", 400)+"bit", Rates); err == nil {
		t.Errorf("a number of 400 digits is %d", got)
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		value int64
		units []Unit
		want  string
	}{
		{0, Rates, "0bit"},
		{999, Rates, "999bit"},
		{80e6, Rates, "80mbit"},
		{1.5e9, Rates, "1.5gbit"},
		{1_234_567, Rates, "1.234567mbit"},
		{200e3, Times, "200us"},
		{64_000, Sizes, "64kB"},
		{500_000, Shares, "0.5%"},
	} {
		if got := Format(tt.value, tt.units); got != tt.want {
			t.Errorf("%d is %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestWholeNumbersAndShares(t *testing.T) {
	if n, err := ParseWhole("18446744073709551615"); n != math.MaxUint64 || err != nil {
		t.Errorf("the largest whole number is %d, %v", n, err)
	}
	for _, text := range []string{"", "-1", "1.0", "1e3", "18446744073709551616"} {
		if n, err := ParseWhole(text); err == nil {
			t.Errorf("%q is %d", text, n)
		}
	}
	if got := FormatNumber(Percent(0.001)); got != "0.1" {
		t.Errorf("a thousandth is %s%%", got)
	}
}

// What is printed is what is meant: it is read back as it was.
func FuzzFormatIsReadBack(f *testing.F) {
	f.Add("80mbit")
	f.Add("0")
	f.Add("1.999999999gbit")
	f.Fuzz(func(t *testing.T, text string) {
		for _, list := range [][]Unit{Rates, Times, Sizes, Shares} {
			value, err := Parse(text, list)
			if err != nil {
				continue
			}
			if value < 0 || value > 1e15 {
				t.Fatalf("%q is %d", text, value)
			}
			if again, err := Parse(Format(value, list), list); again != value || err != nil {
				t.Fatalf("%q is %d, printed %s, read back as %d, %v", text, value, Format(value, list), again, err)
			}
		}
	})
}
