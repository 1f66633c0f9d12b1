package testutil

import (
	"bufio"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var inBackquotes = regexp.MustCompile("`([^`]+)`")

// CheckStatsDoc compares docs/STATS.md with the fields that a value of type t has as
// JSON. root is what the document calls it, empty for the object that all the others
// are in; page reports which of the document's sections are about it.
func CheckStatsDoc(tb testing.TB, t reflect.Type, root string, page func(section string) bool) {
	tb.Helper()
	const path = "../docs/STATS.md" // of every package that has figures
	want, got := jsonFields(t, root), documented(tb, path, page)
	for _, f := range want {
		if !slices.Contains(got, f) {
			tb.Errorf("%s lacks %s: add a row for it, with its unit and meaning", path, f)
		}
	}
	seen := map[string]bool{}
	for _, f := range got {
		if !slices.Contains(want, f) {
			tb.Errorf("%s has %s, which does not exist: take the row out", path, f)
		}
		if seen[f] {
			tb.Errorf("%s has %s twice", path, f)
		}
		seen[f] = true
	}
}

// jsonFields are the paths of all fields, such as "send.udp.to[].addr".
func jsonFields(t reflect.Type, path string) (all []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			all = append(all, jsonFields(f.Type, path)...)
			continue
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name // as encoding/json does
		}
		of := f.Type
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			if of.Kind() == reflect.Slice {
				name += "[]"
			}
			of = of.Elem()
		}
		name = strings.TrimPrefix(path+"."+name, ".")
		all = append(all, name)
		if of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]() {
			all = append(all, jsonFields(of, name)...)
		}
	}
	return all
}

// documented are the fields of which the document has a row with all its cells, in the
// sections that page picks. A heading names what its table is of.
func documented(tb testing.TB, path string, page func(string) bool) (all []string) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var sections []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			sections = nil
			for _, m := range inBackquotes.FindAllStringSubmatch(line, -1) {
				sections = append(sections, m[1])
			}
			if sections == nil {
				sections = []string{""}
			}
			continue
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 3 || strings.TrimSpace(cells[1]) == "" || strings.TrimSpace(cells[2]) == "" {
			tb.Errorf("%s: a row wants field, unit and meaning: %s", path, line)
		}
		name := strings.Trim(strings.TrimSpace(cells[0]), "`")
		for _, s := range sections {
			if page(s) {
				all = append(all, strings.TrimPrefix(s+"."+name, "."))
			}
		}
	}
	return all
}
