package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// layer is how far from the bottom a package stands. A package may import those of
// lower layers only, so nothing in one layer knows its neighbour: udp and tcp know
// neither each other nor capture nor display.
var layer = map[string]int{
	"stream": 0, "internal/units": 0, "internal/textwrap": 0, "internal/crc32c": 0, "internal/leopard": 0, "internal/errno": 0, "internal/resolve": 0,
	"fragment": 1, "codec": 1, "timecode": 1, "clock": 1, "matroska": 1, "internal/netlab": 1, "udp/pace": 1, "udp/heal": 1, "rate": 1,
	"udp/batch": 2, "conceal": 2,
	"capture": 3, "display": 3, "udp": 3, "tcp": 3,
	"bench":   4,
	"trial":   5,
	"command": 6,
	".":       7,
}

// helpers may be imported by test files only, and import nothing of ours.
var helpers = []string{"internal/arch", "internal/testutil"}

// only lists who may import a module that most of us must not know.
var only = map[string][]string{
	"gocv.io/x/gocv":         {"capture", "display"},
	"github.com/urfave/cli/": {"command"},
	"C":                      {"codec", "display"},
}

// pure packages are tested and fuzzed without a network or a clock: they import no
// part of these trees, except what allowed names.
var (
	pure      = []string{"stream", "fragment", "codec", "conceal", "timecode", "clock", "matroska", "rate"}
	impure    = []string{"net", "os", "syscall", "log", "golang.org/x/net", "golang.org/x/sys"}
	allowed   = []string{"net/netip"}
	clockless = []string{"fragment", "timecode", "clock", "matroska", "rate"}
)

// Imports checks the direction of every import.
func Imports(fset *token.FileSet, packages []*Package) []Breach {
	var found []Breach
	for _, p := range packages {
		for _, f := range p.Files {
			for _, spec := range f.Imports {
				if says := checkImport(p.Path, imported(spec)); says != "" {
					found = append(found, Breach{fset.Position(spec.Pos()), says})
				}
			}
		}
	}
	return found
}

func imported(spec *ast.ImportSpec) string {
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser let it through
	}
	return name
}

// checkImport says what is wrong with from importing to, or nothing.
func checkImport(from, to string) string {
	for module, users := range only {
		if within(to, module) && !slices.Contains(users, from) {
			return fmt.Sprintf("%s imports %s: only %s may", from, to, strings.Join(users, " and "))
		}
	}
	if slices.Contains(pure, from) && within(to, impure...) && !within(to, allowed...) {
		return fmt.Sprintf("%s imports %s: it knows no socket, file or log", from, to)
	}
	if !within(to, Module) {
		return ""
	}
	to = strings.TrimPrefix(to, Module+"/")
	if slices.Contains(helpers, to) {
		return fmt.Sprintf("%s imports %s: only tests may", from, to)
	}
	if slices.Contains(helpers, from) {
		return fmt.Sprintf("%s imports %s: a helper of the tests imports nothing of ours", from, to)
	}
	above, ok := layer[from]
	if !ok {
		return fmt.Sprintf("%s stands in no layer: give it one in internal/arch", from)
	}
	below, ok := layer[to]
	if !ok {
		return fmt.Sprintf("%s stands in no layer: give it one in internal/arch", to)
	}
	if below >= above {
		return fmt.Sprintf("%s imports %s: imports go command -> trial -> bench -> {capture, display, udp, tcp} -> {fragment, codec, timecode, clock, matroska} -> stream", from, to)
	}
	return ""
}

// within reports whether name is one of trees or lies below it. A tree that ends
// in a slash stands for what lies below it only.
func within(name string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return name == tree || strings.HasPrefix(name, strings.TrimSuffix(tree, "/")+"/")
	})
}
