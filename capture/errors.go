package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// errorf makes an error of this package, whose name stands before it once: it is taken
// from the errors among args, and their paths are made fit to be shown.
func errorf(format string, args ...any) error {
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = bare{err}
		}
	}
	return fmt.Errorf(prefix+format, args...)
}

const prefix = "capture: "

// bare is an error without what errorf puts before it.
type bare struct{ error }

func (b bare) Error() string {
	text := strings.TrimPrefix(b.error.Error(), prefix)
	var bad *fs.PathError
	if !errors.As(b.error, &bad) {
		return text
	}
	if shown := quoted(hidden(bad.Path)); shown != bad.Path { // its Error has it as it is
		text = strings.ReplaceAll(text, bad.Path, shown)
	}
	return text
}

func (b bare) Unwrap() error { return b.error }

// quoted is a path or another text, fit to be shown: as it is if all of it can be
// printed, otherwise as Go writes it.
func quoted(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// maxName bounds a name in Info, in characters.
const maxName = 64

// named is the name of a file, for Info: quoted and not too long.
func named(s string) string {
	if r := []rune(quoted(s)); len(r) > maxName {
		return string(r[:maxName-3]) + "..."
	}
	return quoted(s)
}
