package bench

import (
	"math"
	"strconv"
)

// axis maps values to coordinates.
type axis struct {
	label  string
	lo, hi float64 // values at both ends
	log    bool    // lo > 0 then
	ticks  []tick
	a, b   float64 // coordinates at both ends
}

type tick struct {
	at    float64
	label string // empty = a minor one
}

// to maps a value. What lies beyond the ends is drawn at the end.
func (x axis) to(v float64) float64 {
	v = max(x.lo, min(v, x.hi))
	share := (v - x.lo) / (x.hi - x.lo)
	if x.log {
		share = math.Log(v/x.lo) / math.Log(x.hi/x.lo)
	}
	return x.a + share*(x.b-x.a)
}

// percentAxis goes from 0 to 100 %.
func percentAxis(label string) axis {
	x := axis{label: label, hi: 1}
	for _, p := range []int{0, 20, 40, 60, 80, 100} {
		x.ticks = append(x.ticks, tick{float64(p) / 100, number(p)})
	}
	return x
}

// linearAxis goes from 0 to at least most, in round steps.
func linearAxis(label string, most float64) axis {
	if !(most > 0) {
		most = 1
	}
	step := roundUp(most / 5)
	x := axis{label: label, hi: math.Ceil(most/step-1e-9) * step}
	for i := 0; float64(i)*step <= x.hi*(1+1e-9); i++ {
		x.ticks = append(x.ticks, tick{float64(i) * step, strconv.FormatFloat(float64(i)*step, 'g', 6, 64)})
	}
	return x
}

// logAxis spans the values from least to most, both > 0 or else taken to be.
func logAxis(label string, least, most float64) axis {
	const smallest = 0.01
	if !(least >= smallest) {
		least = smallest
	}
	if !(most > least) {
		most = least
	}
	x := axis{label: label, log: true, lo: roundDown(least), hi: roundUp(most)}
	if x.hi <= x.lo {
		x.hi = roundUp(x.lo * 1.01)
	}
	wide := x.hi/x.lo > 1500 // more than 3 decades: only powers of ten are labelled
	for decade := math.Floor(math.Log10(x.lo)); decade <= math.Ceil(math.Log10(x.hi)); decade++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, decade)
			if v < x.lo*(1-1e-9) || v > x.hi*(1+1e-9) {
				continue
			}
			t := tick{at: v}
			if m == 1 || !wide {
				t.label = strconv.FormatFloat(v, 'g', 4, 64)
				if v >= 1e4 {
					t.label = strconv.FormatFloat(v, 'f', 0, 64)
				}
			}
			x.ticks = append(x.ticks, t)
		}
	}
	return x
}

// categories are evenly spaced, whatever their values.
func categories(label string, names []string) axis {
	x := axis{label: label, lo: -0.5, hi: float64(len(names)) - 0.5}
	for i, n := range names {
		x.ticks = append(x.ticks, tick{float64(i), n})
	}
	return x
}

// roundUp gives the next of 1, 2, 5, 10, 20… that is not below v.
func roundUp(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*decade >= v*(1-1e-9) {
			return m * decade
		}
	}
	return 10 * decade
}

// roundDown gives the next of 1, 2, 5, 10, 20… that is not above v.
func roundDown(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if m*decade <= v*(1+1e-9) {
			return m * decade
		}
	}
	return decade
}

// frame draws both axes with their grid around the area of a plot.
func (d *drawing) frame(x, y axis) {
	d.group("axes")
	for _, t := range y.ticks {
		class := "grid"
		if t.label == "" {
			class = "grid minor"
		}
		d.line(class, x.a, y.to(t.at), x.b, y.to(t.at))
		if t.label != "" {
			d.text("tick", "end", x.a-7, y.to(t.at)+4, t.label)
		}
	}
	for _, t := range x.ticks {
		if x.log {
			class := "grid"
			if t.label == "" {
				class = "grid minor"
			}
			d.line(class, x.to(t.at), y.a, x.to(t.at), y.b)
		}
		if t.label != "" {
			d.text("tick", "middle", x.to(t.at), d.h-25, t.label)
		}
	}
	d.line("base", x.a, y.a, x.b, y.a)
	d.text("label", "middle", (x.a+x.b)/2, d.h-5, x.label)
	d.upright("label", 12, (y.a+y.b)/2, y.label)
	d.ungroup()
}
