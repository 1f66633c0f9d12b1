// Package arch holds the project's rules about its own code, so that a test can:
// which package may import which, what fragment must not touch, who may end the
// process, and that everything exported is documented.
//
// It reads the sources of every build flavour and platform at once, with go/parser
// and without the go command: a rule must hold in the files that this machine does
// not compile, too. Test files may import and do what they like.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Module is the import path of the module's root.
const Module = "github.com/framegram/framegram"

// Package is what one directory holds, apart from its test files.
type Package struct {
	Path  string      // relative to the module's root, "." for main
	Files []*ast.File // of all flavours and platforms
}

// Load parses all packages under root but testdata and hidden directories.
// Positions are kept in fset.
func Load(fset *token.FileSet, root fs.FS) ([]*Package, error) {
	var packages []*Package
	at := map[string]*Package{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && (base == "testdata" || base != "." && base[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("arch: %w", err)
		}
		dir := path.Dir(name)
		if at[dir] == nil {
			at[dir] = &Package{Path: dir}
			packages = append(packages, at[dir])
		}
		at[dir].Files = append(at[dir].Files, file)
		return nil
	})
	return packages, err
}

// Breach is one place that breaks a rule.
type Breach struct {
	At   token.Position
	Says string // what is wrong and what to do
}

func (b Breach) String() string { return fmt.Sprintf("%s: %s", b.At, b.Says) }
