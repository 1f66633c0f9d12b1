package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func pageOf(t *testing.T, r *Report) (*html.Node, string) {
	t.Helper()
	b := written(t, func(b *bytes.Buffer) error { return WriteHTML(b, r) })
	root, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return root, string(b)
}

// find returns all elements with the attribute, of any value when want is empty.
func find(n *html.Node, name, want string) (found []*html.Node) {
	for d := range n.Descendants() {
		if v, ok := attr(d, name); ok && (want == "" || v == want) {
			found = append(found, d)
		}
	}
	return found
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// value of a data attribute.
func data(t *testing.T, n *html.Node, name string) float64 {
	t.Helper()
	v, _ := attr(n, "data-"+name)
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		t.Fatalf("data-%s is %q", name, v)
	}
	return f
}

// drawn are all paths of a class within n.
func drawn(n *html.Node, class string) (paths string) {
	for _, p := range find(n, "class", class) {
		d, _ := attr(p, "d")
		paths += d
	}
	return paths
}

// plotted is the group of a series in a plot.
func plotted(t *testing.T, root *html.Node, plot, series string) *html.Node {
	t.Helper()
	plots := find(root, "id", plot)
	if len(plots) != 1 {
		t.Fatalf("%d plots %s", len(plots), plot)
	}
	for _, g := range find(plots[0], "data-series", series) {
		if _, repeat := attr(g, "data-repeat"); !repeat {
			return g
		}
	}
	t.Fatalf("%s has no %s", plot, series)
	return nil
}

func TestPlotsHoldTheData(t *testing.T) {
	r := sweepReport(3, 10*time.Second, "cubic", "bbr")
	root, _ := pageOf(t, r)
	all := Summarise(r)
	groups := places(all)
	for _, series := range names(all) {
		for plot, f := range map[string]figure{"share": figures[0], "freeze": by("freeze_ms")} {
			g := plotted(t, root, plot, series)
			least, most, ranges := math.Inf(1), math.Inf(-1), 0
			for _, s := range all {
				if s.Name() == series {
					v := s.Figures[f.name]
					least, most = min(least, float64(v.Median)), max(most, float64(v.Median))
					if v.Max > v.Min {
						ranges++
					}
				}
			}
			if data(t, g, "points") != 6 || len(find(g, "class", "marker")) != 6 || strings.Count(drawn(g, "curve"), "L") != 5 ||
				len(find(g, "class", "range")) != ranges || data(t, g, "min") != least || data(t, g, "max") != most {
				t.Errorf("%s of %s does not hold its 6 points from %v to %v, with %d ranges", plot, series, least, most, ranges)
			}
		}
		for i, group := range groups {
			for _, s := range group {
				if s.Name() != series {
					continue
				}
				st := s.typical().Stats
				g := plotted(t, root, "curve"+number(i), series)
				if n := len(st.Curve.MS); strings.Count(drawn(g, "curve"), "V") != n || data(t, g, "points") != float64(n) ||
					data(t, g, "max") != float64(st.Latency.Max) || data(t, g, "share") != ratio(st.Shown, st.Due) {
					t.Errorf("the distribution %d of %s does not hold its %d points", i, series, n)
				}
				g = plotted(t, root, "time"+number(i), series)
				if dots := strings.Count(drawn(g, "dots"), "M"); dots != st.Shown || data(t, g, "missed") != float64(st.Due-st.Shown) ||
					strings.Count(drawn(g, "missed"), "M") != st.Due-st.Shown || data(t, g, "max") != float64(st.Latency.Max) {
					t.Errorf("the plot %d over time of %s has %d dots, want %d", i, series, dots, st.Shown)
				}
				for plot, want := range map[string][]float64{
					"stages-mean": st.Stages.Mean.list(), "stages-slowest": st.Stages.Slowest.list(),
					"cpu-sender": {float64(s.Figures["sender_cpu_cores"].Median)}, "cpu-viewer": {float64(s.Figures["viewer_cpu_cores"].Median)},
				} {
					var row *html.Node
					for _, g := range find(find(root, "id", plot)[0], "data-place", s.where()) {
						if v, _ := attr(g, "data-series"); v == series {
							row = g
						}
					}
					if row == nil {
						t.Fatalf("%s has no row for %s", plot, s.place())
					}
					for n, part := range find(row, "data-part", "") {
						if got := data(t, part, "value"); n >= len(want) || got != want[n] {
							t.Errorf("%s, %s, part %d is %v, want %v", plot, s.place(), n, got, want)
						}
					}
				}
			}
		}
	}
}

// Higher values stand higher, later ones further right, in the same proportion.
func TestAxesKeepProportions(t *testing.T) {
	for _, x := range []axis{percentAxis(""), linearAxis("", 37), logAxis("", 3, 4800), categories("", []string{"a", "b"})} {
		x.a, x.b = 100, 300
		if x.to(x.lo) != 100 || x.to(x.hi) != 300 || x.to(x.lo-1) != 100 || x.to(x.hi+1) != 300 {
			t.Errorf("%+v does not map its ends to the ends", x)
		}
		middle := (x.lo + x.hi) / 2
		if x.log {
			middle = math.Sqrt(x.lo * x.hi)
		}
		if got := x.to(middle); math.Abs(got-200) > 1e-9 {
			t.Errorf("the middle %v maps to %v, want 200", middle, got)
		}
	}
	for _, c := range []struct{ least, most, lo, hi float64 }{{14, 4800, 10, 5000}, {1, 1, 1, 2}, {0, 0, .01, .02}, {2, 5, 2, 5}, {math.NaN(), 7, .01, 10}} {
		if x := logAxis("", c.least, c.most); math.Abs(x.lo-c.lo) > 1e-9 || math.Abs(x.hi-c.hi) > 1e-9 || len(x.ticks) < 2 {
			t.Errorf("%v to %v: axis from %v to %v, want %v to %v", c.least, c.most, x.lo, x.hi, c.lo, c.hi)
		}
	}
	if x := linearAxis("", 37); x.hi != 40 || len(x.ticks) != 5 || x.ticks[4] != (tick{40, "40"}) {
		t.Errorf("0 to 37: %+v", x)
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	root, source := pageOf(t, sweepReport(2, 2*time.Second, "cubic"))
	for n := range root.Descendants() {
		switch n.Data {
		case "script", "link", "img", "iframe", "object", "embed", "base", "image", "use", "foreignObject", "a":
			if n.Type == html.ElementNode {
				t.Errorf("the page has a %s", n.Data)
			}
		}
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "href" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "url(") || strings.Contains(a.Val, "//") {
				t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, bad := range []string{"http:", "https:", "url(", "@import", "javascript:", "NaN", "Inf", "ZgotmplZ"} {
		if strings.Contains(source, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// Every image is well-formed, tells its title and description, and has no coordinate
// outside of itself.
func TestImagesAreValid(t *testing.T) {
	nothing := &Report{Meta: meta()}
	run := byHand()
	run.Sent, run.Shown = nil, nil
	nothing.Add(run)
	for name, r := range map[string]*Report{"sweep": sweepReport(3, 4*time.Second, "cubic", "bbr"), "single": single(), "nothing shown": nothing} {
		root, source := pageOf(t, r)
		images := 0
		for _, rest := range strings.Split(source, "<svg ")[1:] {
			image, _, _ := strings.Cut(rest, "</svg>")
			images++
			decoder := xml.NewDecoder(strings.NewReader("<svg " + image + "</svg>"))
			for {
				_, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s, image %d: %v", name, images, err)
				}
			}
		}
		if images < 8 {
			t.Errorf("%s: %d images", name, images)
		}
		for _, plot := range find(root, "class", "plot") {
			box, _ := attr(plot, "viewbox")
			if box == "" {
				box, _ = attr(plot, "viewBox")
			}
			size := strings.Fields(box)
			w, _ := strconv.ParseFloat(size[2], 64)
			h, _ := strconv.ParseFloat(size[3], 64)
			id, _ := attr(plot, "id")
			for _, part := range []string{"-t", "-d"} {
				if says := find(plot, "id", id+part); len(says) != 1 || says[0].FirstChild == nil {
					t.Errorf("%s: %s has no %s", name, id, part)
				}
			}
			for _, key := range []string{"x", "y", "cx", "cy"} {
				for _, n := range find(plot, key, "") {
					text, _ := attr(n, key)
					v, err := strconv.ParseFloat(text, 64)
					if most := map[byte]float64{'x': w, 'y': h}[key[len(key)-1]]; err != nil || v < 0 || v > most {
						t.Errorf("%s: %s: %s has %s=%q, of %v", name, id, n.Data, key, text, most)
					}
				}
			}
		}
		ids := map[string]bool{}
		for _, n := range find(root, "id", "") {
			id, _ := attr(n, "id")
			if ids[id] {
				t.Errorf("%s: two elements %s", name, id)
			}
			ids[id] = true
		}
	}
}

func TestPageEscapesWhatComesFromOutside(t *testing.T) {
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	r := sweepReport(2, time.Second, "cubic")
	r.Meta.Command, r.Meta.Machine.CPU, r.Meta.Version = attack, attack, attack
	r.Meta.Peer = &Machine{CPU: attack}
	for i := range r.Runs {
		run := &r.Runs[i]
		run.Sweep.Key, run.Sweep.Value, run.Scenario.Source = attack, run.Sweep.Value+attack, attack
		run.Congestion, run.Link = attack, attack+run.Link
		run.Sender.Lost = map[string]uint64{attack: 1}
	}
	r.Runs[0].Err = attack
	root, _ := pageOf(t, r)
	told := 0
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
			t.Fatalf("a %s got through", n.Data)
		}
		if n.Type == html.TextNode && strings.Contains(n.Data, "<script>alert(1)") {
			told++
		}
	}
	if told < 10 {
		t.Errorf("the text is told %d times, want it as text everywhere", told)
	}
}

func TestPageTellsWhatIsNeededToRepeatIt(t *testing.T) {
	r := single()
	_, source := pageOf(t, r)
	for _, want := range []string{"AMD EPYC 7B13", "Linux 6.18.0", "v0.5.0", "go1.26.0", "the sender died: exit status 2", "tcp cubic", "89.7 %"} {
		if !strings.Contains(source, want) {
			t.Errorf("no %q", want)
		}
	}
	if _, source := pageOf(t, &Report{Meta: meta()}); !strings.Contains(source, "nothing was measured") {
		t.Error("an empty report does not say so")
	}
}
