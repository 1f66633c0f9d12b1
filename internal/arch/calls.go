package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// exits end the process past everybody's deferred calls.
var exits = []string{"os.Exit", "syscall.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln"}

// clocks read or wait for the time; a package without a clock is given its times.
var clocks = []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc",
	"time.Tick", "time.NewTimer", "time.NewTicker"}

// Calls checks what packages do: only main ends the process, and fragment, clock and
// timecode read no clock and start no goroutine.
func Calls(fset *token.FileSet, packages []*Package) []Breach {
	var found []Breach
	for _, p := range packages {
		bare := slices.Contains(clockless, p.Path)
		for _, f := range p.Files {
			names := importNames(f)
			ast.Inspect(f, func(n ast.Node) bool {
				var says string
				switch n := n.(type) {
				case *ast.SelectorExpr:
					switch name := qualified(names, n); {
					case slices.Contains(exits, name) && p.Path != ".":
						says = fmt.Sprintf("%s calls %s: only main ends the process, return an error", p.Path, name)
					case slices.Contains(clocks, name) && bare:
						says = fmt.Sprintf("%s calls %s: it has no clock, have the time passed in", p.Path, name)
					}
				case *ast.GoStmt:
					if bare {
						says = fmt.Sprintf("%s starts a goroutine: it must not", p.Path)
					}
				}
				if says != "" {
					found = append(found, Breach{fset.Position(n.Pos()), says})
				}
				return true
			})
		}
	}
	return found
}

// importNames maps the names under which f knows its imports to their paths.
func importNames(f *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Imports {
		to := imported(spec)
		name := to[strings.LastIndex(to, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = to
	}
	return names
}

// qualified is "os.Exit" for a selector on the package os, whatever the file calls
// it, and "" for any other selector.
func qualified(names map[string]string, s *ast.SelectorExpr) string {
	if x, ok := s.X.(*ast.Ident); ok && names[x.Name] != "" {
		return names[x.Name] + "." + s.Sel.Name
	}
	return ""
}
