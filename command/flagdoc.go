package command

import (
	"cmp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/internal/netlab"
	"github.com/framegram/framegram/trial"
)

// flagDoc is what there is to say of a flag, in the manual, in a shell's completion
// and in README.md.
type flagDoc struct {
	names    []string // long, then short, without dashes
	takes    string   // what its value is called; empty for a switch
	usage    string   // without the backquotes around what it takes
	standard string   // its default, empty for none
}

// docOf reads what the commands declare.
func docOf(f cli.Flag) (d flagDoc, ok bool) {
	doc, ok := f.(cli.DocGenerationFlag)
	if hidden, can := f.(cli.VisibleFlag); !ok || f.Names()[0] == "help" || can && !hidden.IsVisible() {
		return d, false
	}
	d = flagDoc{names: f.Names(), usage: strings.ReplaceAll(doc.GetUsage(), "`", "")}
	if _, rest, quoted := strings.Cut(doc.GetUsage(), "`"); quoted {
		d.takes, _, _ = strings.Cut(rest, "`")
	} else if doc.TakesValue() {
		d.takes = "VALUE"
	}
	if d.takes != "" {
		d.standard = strings.Trim(cmp.Or(doc.GetDefaultText(), doc.GetValue()), `"`)
	}
	return d, true
}

// meaning is the usage for a reader who sees beside it what the flag takes.
func (f flagDoc) meaning() string {
	rest, ok := strings.CutPrefix(f.usage, f.takes)
	if ok && f.takes != "" && (strings.HasPrefix(rest, ";") || strings.HasPrefix(rest, ":")) {
		return strings.TrimSpace(rest[1:])
	}
	return f.usage
}

// dashed are the names as they are typed.
func (f flagDoc) dashed() (names []string) {
	for _, n := range f.names {
		if len(n) == 1 {
			names = append(names, "-"+n)
		} else {
			names = append(names, "--"+n)
		}
	}
	return names
}

// brief is the beginning of the usage, for one line of a menu.
func (f flagDoc) brief() string {
	text := f.meaning()
	for _, end := range []string{"; ", " ("} {
		text, _, _ = strings.Cut(text, end)
	}
	return text
}

// known lists values of flags whose placeholder does not.
var known = map[string][]string{
	"source":  {"test", "-", "images:", "camera:0", "/dev/video0", "mjpeg+http://", "rtsp://", "http://"},
	"display": {"auto", "window", "web", "stdout", "images:", "none"},
	"dscp":    {"af41", "af42", "af43", "ef", "cs0", "cs1", "cs3", "cs4", "cs5"},
	"size":    {"640x480", "1280x720", "1920x1080"},
	"link":    linkWords(),
}

// lists are the words of flags that take several with commas between.
var lists = map[string][]string{
	"transport": {"udp", "tcp"},
	"repair":    trial.Repairs,
	"connect":   trial.Connects,
	"slices":    {"auto"},
}

// linkWords are the presets, and what may be said beside or instead of them.
func linkWords() (words []string) {
	for _, p := range netlab.Presets {
		words = append(words, p.Name)
	}
	return append(words, "rate=", "delay=", "jitter=", "loss=", "burst=", "reorder=", "duplicate=", "queue=", "mtu=", "seed=", "squeeze=")
}

// list tells whether its value is several words with commas between.
func (f flagDoc) list() bool {
	return f.takes == "LINK" || f.takes == "LIST" && lists[f.names[0]] != nil
}

// values that the flag may have, as far as they can be listed: those known, or the
// alternatives of what it takes, such as auto of auto|BYTES.
func (f flagDoc) values() (values []string) {
	if f.takes == "LIST" {
		return lists[f.names[0]]
	}
	if listed, ok := known[f.names[0]]; ok || !strings.Contains(f.takes, "|") {
		return listed
	}
	for _, v := range strings.Split(f.takes, "|") {
		if v == strings.ToLower(v) && !strings.ContainsAny(v, "[:.") {
			values = append(values, v)
		}
	}
	return values
}

// file tells whether its value may be a file.
func (f flagDoc) file() bool {
	return slices.Contains([]string{"source", "record", "trace", "json", "csv", "markdown", "html"}, f.names[0])
}
