package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// obvious are methods that say nothing but that their interface is implemented.
var obvious = []string{"Error", "Unwrap", "Is", "As", "String", "Len", "Less", "Swap"}

// Docs checks that every package has a comment and that nothing exported at the
// top level lacks one. A group of constants or variables shares the comment above
// it, a short one may stand behind the line.
func Docs(fset *token.FileSet, packages []*Package) []Breach {
	var found []Breach
	for _, p := range packages {
		if !slices.ContainsFunc(p.Files, func(f *ast.File) bool { return f.Doc != nil }) {
			found = append(found, Breach{fset.Position(p.Files[0].Package), fmt.Sprintf("package %s has no comment", p.Path)})
		}
		for _, f := range p.Files {
			for _, decl := range f.Decls {
				for _, name := range undocumented(decl) {
					found = append(found, Breach{fset.Position(name.Pos()), fmt.Sprintf("%s has no comment", name.Name)})
				}
			}
		}
	}
	return found
}

// undocumented lists the exported names that decl introduces without a comment.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !slices.Contains(obvious, d.Name.Name) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return nil
		}
		var names []*ast.Ident
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Doc == nil && s.Comment == nil {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				if s.Doc == nil && s.Comment == nil {
					names = append(names, s.Names...)
				}
			}
		}
		return slices.DeleteFunc(names, func(n *ast.Ident) bool { return !n.IsExported() })
	}
	return nil
}

// exportedReceiver reports whether d is a function, or a method that is reachable
// by name: methods of unexported types are documented by the interface they serve.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
