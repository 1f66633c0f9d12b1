package arch

import (
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

type rule func(*token.FileSet, []*Package) []Breach

func load(t *testing.T, files map[string]string) (*token.FileSet, []*Package) {
	t.Helper()
	root := fstest.MapFS{}
	for name, source := range files {
		root[name] = &fstest.MapFile{Data: []byte(source)}
	}
	fset := token.NewFileSet()
	packages, err := Load(fset, root)
	if err != nil {
		t.Fatal(err)
	}
	return fset, packages
}

func TestFramegram(t *testing.T) {
	fset := token.NewFileSet()
	packages, err := Load(fset, os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	// A wrong root would pass every rule.
	for _, want := range []string{"stream", "fragment", "codec", "internal/arch"} {
		if !slices.ContainsFunc(packages, func(p *Package) bool { return p.Path == want }) {
			t.Errorf("package %s was not found", want)
		}
	}
	for name, check := range map[string]rule{"Imports": Imports, "Calls": Calls, "Docs": Docs} {
		t.Run(name, func(t *testing.T) {
			for _, b := range check(fset, packages) {
				t.Error(b)
			}
		})
	}
}

func TestCheckImport(t *testing.T) {
	const us = Module + "/"
	for _, c := range []struct{ from, to, want string }{
		{".", us + "command", ""},
		{"command", us + "udp", ""},
		{"command", us + "stream", ""},
		{"bench", us + "capture", ""},
		{"udp", us + "fragment", ""},
		{"codec", us + "stream", ""},
		{"fragment", "net/netip", ""},
		{"fragment", "time", ""},
		{"udp", "net", ""},
		{"capture", "gocv.io/x/gocv", ""},
		{"command", "github.com/urfave/cli/v2", ""},
		{"internal/testutil", "os", ""},

		{"stream", us + "codec", "imports go"},
		{"fragment", us + "codec", "imports go"},
		{"udp", us + "capture", "imports go"},
		{"udp", us + "tcp", "imports go"},
		{"tcp", us + "display", "imports go"},
		{"capture", us + "display", "imports go"},
		{"display", us + "command", "imports go"},
		{"bench", us + "command", "imports go"},
		{"udp", Module, "github.com/framegram/framegram stands in no layer"},
		{"udp", us + "new", "new stands in no layer"},
		{"new", us + "udp", "new stands in no layer"},
		{"udp", us + "internal/testutil", "only tests may"},
		{"internal/testutil", us + "stream", "nothing of ours"},
		{"fragment", "net", "no socket"},
		{"fragment", "net/http", "no socket"},
		{"fragment", "os", "no socket"},
		{"stream", "golang.org/x/sys/unix", "no socket"},
		{"codec", "log/slog", "no socket"},
		{"udp", "gocv.io/x/gocv", "only capture and display"},
		{"udp", "gocv.io/x/gocv/contrib", "only capture and display"},
		{"udp", "C", "only codec and display"},
		{"udp", "github.com/urfave/cli/v2", "only command"},
	} {
		if got := checkImport(c.from, c.to); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s imports %s: got %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// Every rule is tried on a made-up module: what it must find, and what it must not.
func TestRulesFindBreaches(t *testing.T) {
	fset, packages := load(t, map[string]string{
		"main.go":              "// Command main is fine.\npackage main\nimport \"os\"\nfunc main() { os.Exit(0) }\n",
		"udp/a.go":             "// Package udp is fine but for what follows.\npackage udp\n",
		"udp/b.go":             "//go:build windows\n\npackage udp\nimport _ \"" + Module + "/tcp\"\n",
		"tcp/c.go":             "package tcp\nimport l \"log\"\nfunc f() { l.Fatal() }\n",
		"tcp/d.go":             "package tcp\nfunc Undocumented() {}\ntype T struct{}\nfunc (T) M() {}\nfunc (T) String() string { return \"\" }\nfunc (t) N() {}\nconst (\nA = 1 // is documented\nB = 2\n)\n",
		"tcp/e.go":             "package tcp\n// G has a comment.\nfunc G[X any]() {}\n// Group.\nvar (\nV = 1\n)\n",
		"tcp/f.go":             "package tcp\nfunc (*P[X]) Q() {}\n",
		"stream/.go/g.go":      "rubbish",
		"stream/testdata/g.go": "rubbish",
		"stream/h_test.go":     "rubbish",
		"fragment/i.go":        "// Package fragment has a clock.\npackage fragment\nimport \"time\"\nfunc f() { go f(); time.Now(); _ = time.Second }\nfunc time2(os struct{Exit func()}) { os.Exit() }\n",
	})
	for name, c := range map[string]struct {
		check rule
		want  []string
	}{
		"Imports": {Imports, []string{"udp/b.go:4:8: udp imports tcp"}},
		"Calls": {Calls, []string{
			"fragment/i.go:4:12: fragment starts a goroutine",
			"fragment/i.go:4:20: fragment calls time.Now",
			"tcp/c.go:3:12: tcp calls log.Fatal",
		}},
		"Docs": {Docs, []string{
			"tcp/c.go:1:1: package tcp has no comment",
			"tcp/d.go:2:6: Undocumented has no comment",
			"tcp/d.go:3:6: T has no comment",
			"tcp/d.go:4:10: M has no comment",
			"tcp/d.go:9:1: B has no comment",
			"tcp/f.go:2:14: Q has no comment",
		}},
	} {
		got := c.check(fset, packages)
		for i := range max(len(got), len(c.want)) {
			switch {
			case i >= len(got):
				t.Errorf("%s did not find %s", name, c.want[i])
			case i >= len(c.want):
				t.Errorf("%s found %s", name, got[i])
			case !strings.HasPrefix(got[i].String(), c.want[i]):
				t.Errorf("%s: got %s, want %s", name, got[i], c.want[i])
			}
		}
	}
}
