package bench

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// drawing is an SVG image to stand in an HTML page. Colours come from the page's style
// by class, so that a plot follows light, dark and print; text stays text. A plotting
// library would draw these plots, too, but in fixed colours and fonts, without what
// assistive technology reads, and with seven more modules in the program.
type drawing struct {
	strings.Builder
	w, h float64
}

// begin opens the image. title and describes are for who cannot see it.
func begin(id string, w, h float64, title, describes string) *drawing {
	d := &drawing{w: w, h: h}
	id = html.EscapeString(id)
	fmt.Fprintf(d, `<svg class="plot" id="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d">`, id, px(w), px(h), id, id)
	fmt.Fprintf(d, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, id, html.EscapeString(title), id, html.EscapeString(describes))
	return d
}

func (d *drawing) end() string {
	d.WriteString("</svg>")
	return d.String()
}

// group opens a group; close it with ungroup. attributes are name, value, name, value…
func (d *drawing) group(class string, attributes ...string) {
	fmt.Fprintf(d, `<g class="%s"`, html.EscapeString(class))
	for i := 0; i+1 < len(attributes); i += 2 {
		fmt.Fprintf(d, ` %s="%s"`, attributes[i], html.EscapeString(attributes[i+1]))
	}
	d.WriteString(">")
}

func (d *drawing) ungroup() { d.WriteString("</g>") }

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<path class="%s" d="M%s %sL%s %s"/>`, class, px(x1), px(y1), px(x2), px(y2))
}

func (d *drawing) path(class, data string) {
	if data != "" {
		fmt.Fprintf(d, `<path class="%s" d="%s"/>`, class, data)
	}
}

// rect has a tooltip unless says is empty.
func (d *drawing) rect(class string, x, y, w, h float64, says string) {
	fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="%s" height="%s">%s</rect>`, class, px(x), px(y), px(max(0, w)), px(max(0, h)), tooltip(says))
}

// text is anchored at "start", "middle" or "end".
func (d *drawing) text(class, anchor string, x, y float64, says string) {
	fmt.Fprintf(d, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, px(x), px(y), html.EscapeString(says))
}

// upright text reads from below, along the vertical axis.
func (d *drawing) upright(class string, x, y float64, says string) {
	fmt.Fprintf(d, `<text class="%s" text-anchor="middle" transform="translate(%s %s) rotate(-90)">%s</text>`, class, px(x), px(y), html.EscapeString(says))
}

// marker is a point whose shape, too, tells the series.
func (d *drawing) marker(series int, x, y float64, says string) {
	d.WriteString(`<g class="marker">` + tooltip(says) + shape(series, x, y, 4.5) + `</g>`)
}

// shape of a series' markers: disc, square, triangle, diamond, cross, ring.
func shape(series int, x, y, r float64) string {
	polygon := func(points ...float64) string {
		var b strings.Builder
		for i := 0; i < len(points); i += 2 {
			fmt.Fprintf(&b, "%s,%s ", px(x+points[i]*r), px(y+points[i+1]*r))
		}
		return `<polygon points="` + strings.TrimSpace(b.String()) + `"/>`
	}
	switch series % palette {
	case 0:
		return fmt.Sprintf(`<circle cx="%s" cy="%s" r="%s"/>`, px(x), px(y), px(r))
	case 1:
		return polygon(-.9, -.9, .9, -.9, .9, .9, -.9, .9)
	case 2:
		return polygon(0, -1.2, 1.1, .9, -1.1, .9)
	case 3:
		return polygon(0, -1.3, 1.3, 0, 0, 1.3, -1.3, 0)
	case 4:
		return polygon(-.4, -1.1, .4, -1.1, .4, -.4, 1.1, -.4, 1.1, .4, .4, .4, .4, 1.1, -.4, 1.1, -.4, .4, -1.1, .4, -1.1, -.4, -.4, -.4)
	default:
		return fmt.Sprintf(`<circle class="ring" cx="%s" cy="%s" r="%s"/>`, px(x), px(y), px(r*.8))
	}
}

// palette is how many series can be told apart; the style has as many colours.
const palette = 6

func tooltip(says string) string {
	if says == "" {
		return ""
	}
	return "<title>" + html.EscapeString(says) + "</title>"
}

// px writes a coordinate, to a tenth.
func px(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// exact writes a value into a data attribute.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
