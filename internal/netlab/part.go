package netlab

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// part is a piece of what the user wrote that knows where it stands.
type part struct {
	text       string // all of it
	start, end int    // bytes
}

func (p part) String() string { return p.text[p.start:p.end] }

// trim takes white space off both ends.
func (p part) trim() part {
	s := p.String()
	p.start += len(s) - len(strings.TrimLeft(s, " \t\r\n"))
	p.end = p.start + len(strings.Trim(s, " \t\r\n"))
	return p
}

// cut takes p apart at the first separator.
func (p part) cut(separator string) (before, after part, found bool) {
	i := strings.Index(p.String(), separator)
	if i < 0 {
		return p, part{p.text, p.end, p.end}, false
	}
	return part{p.text, p.start, p.start + i}.trim(), part{p.text, p.start + i + len(separator), p.end}.trim(), true
}

// split takes p apart at every comma.
func (p part) split() (items []part) {
	for {
		item, rest, more := p.cut(",")
		items = append(items, item)
		if !more {
			return items
		}
		p = rest
	}
}

// misfit is the error of a value of which only a part is wrong.
type misfit struct {
	part // of the value
	err  error
	want string
}

func (e *misfit) Error() string { return e.err.Error() }
func (e *misfit) Unwrap() error { return e.err }

// refuse is the error of the value p that blames the part of it that err does.
func (p part) refuse(grammar string, err error, want string) error {
	if in, ok := err.(*misfit); ok {
		p.start, p.end = p.start+in.start, p.start+in.end
		err, want = in.err, in.want
	}
	return p.fail(grammar, "%w, want %s", err, want)
}

// fail is the error that blames p.
func (p part) fail(grammar, format string, a ...any) error {
	return &ParseError{p.text, p.start, p.end, fmt.Errorf(format, a...), grammar}
}

// ParseError says which part of a link or a sweep is wrong, and why.
type ParseError struct {
	Text       string // what was parsed
	Start, End int    // bytes Start..End-1 of it are wrong; nothing is there if they are equal
	Err        error  // reads on from "Text[Start:End]"
	Grammar    string // what would have been right
}

// Error is one line.
func (e *ParseError) Error() string {
	at := utf8.RuneCountInString(e.Text[:e.Start]) + 1
	return fmt.Sprintf("%q at character %d of %q %v; want %s", e.Text[e.Start:e.End], at, e.Text, e.Err, e.Grammar)
}

func (e *ParseError) Unwrap() error { return e.Err }

// Caret is the text and, in a second line, carets under what is wrong, for a terminal.
func (e *ParseError) Caret() string {
	shown := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, e.Text)
	before, marked := utf8.RuneCountInString(e.Text[:e.Start]), utf8.RuneCountInString(e.Text[e.Start:e.End])
	return shown + "\n" + strings.Repeat(" ", before) + strings.Repeat("^", max(marked, 1))
}
