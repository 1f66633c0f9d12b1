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
			doc, ok := f.(cli.DocGenerationFlag)
			if !ok || f.Names()[0] == "help" {
				continue
			}
			placeholder, usage := unquote(doc.GetUsage())
			standard := doc.GetDefaultText()
			if standard == "" {
				standard = doc.GetValue()
			}
			text := fmt.Sprintf("`--%s`%s | %s | %s", f.Names()[0], placeholder, escape(usage), escape(strings.Trim(standard, `"`)))
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

// unquote takes the `PLACEHOLDER` out of a usage text.
func unquote(usage string) (placeholder, text string) {
	_, rest, ok := strings.Cut(usage, "`")
	if !ok {
		return "", usage
	}
	name, behind, _ := strings.Cut(rest, "`")
	if strings.HasPrefix(usage, "`") && (strings.HasPrefix(behind, ";") || strings.HasPrefix(behind, ":")) { // the first column has it
		return " `" + escape(name) + "`", strings.TrimSpace(behind[1:])
	}
	return " `" + escape(name) + "`", strings.ReplaceAll(usage, "`", "")
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
