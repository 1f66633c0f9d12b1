package command

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

var update = flag.Bool("update", false, "write the flags into README.md instead of comparing")

const (
	flagsBegin = "<!-- flags: written by `go test ./command -update` -->\n"
	flagsEnd   = "<!-- end of flags -->\n"
)

// TestReadmeNamesEveryFlag compares README.md's tables with the commands.
func TestReadmeNamesEveryFlag(t *testing.T) {
	const path = "../README.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(page, []byte(flagsBegin))
	old, after, ok2 := bytes.Cut(rest, []byte(flagsEnd))
	if !ok || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", path, flagsBegin, flagsEnd)
	}
	want := flagTables(newApp(nil, io.Discard, io.Discard))
	if *update {
		page = bytes.Join([][]byte{before, []byte(flagsBegin), []byte(want), []byte(flagsEnd), after}, nil)
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(old) != want {
		t.Errorf("%s does not tell the flags as they are: run `go test ./command -update`", path)
	}
}

// flagTables has one row per flag, in the order of the first command that has it.
func flagTables(app *cli.App) string {
	type row struct{ text, of string }
	var rows []*row
	seen := map[string]*row{}
	for _, c := range app.Commands {
		for _, f := range c.Flags {
			doc, ok := docOf(f)
			if !ok {
				continue
			}
			text := fmt.Sprintf("`%s`%s | %s | %s", doc.dashed()[0], value(doc.takes), escape(doc.meaning()), escape(doc.standard))
			if seen[text] == nil {
				seen[text] = &row{text: text}
				rows = append(rows, seen[text])
			}
			seen[text].of += " " + c.Name
		}
	}
	var b strings.Builder
	b.WriteString("\n| flag | meaning | default | of |\n|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |%s |\n", r.text, r.of)
	}
	b.WriteString("\n")
	return b.String()
}

func value(takes string) string {
	if takes == "" {
		return ""
	}
	return " `" + escape(takes) + "`"
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
