package pace

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{"auto": Auto, "off": Off, "80mbit": 80_000_000, "1.5Gbit": 1_500_000_000, "256kbit": leastRate} {
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "80", "fast", "-1mbit", "0", "255kbit", "1e9bit", "9999999gbit", "mbit"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		setting, link int64
		loopback      bool
		want          int64
	}{
		{Auto, 1e9, false, 800e6},
		{Auto, 0, false, 800e6},
		{Auto, 100e6, false, 80e6},
		{Auto, 1e9, true, 0},
		{Off, 1e9, false, 0},
		{80e6, 1e9, false, 80e6},
		{80e6, 0, true, 80e6},
	} {
		if got := Limit(tt.setting, tt.link, tt.loopback); got != tt.want {
			t.Errorf("Limit(%d, %d, %t) is %d, want %d", tt.setting, tt.link, tt.loopback, got, tt.want)
		}
	}
}
