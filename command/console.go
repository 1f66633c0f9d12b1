package command

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/framegram/framegram/internal/textwrap"
)

// console is standard error: log lines, and on a terminal a status line that stays
// below them, with a note and rows of its own below it.
type console struct {
	out *outlet
	tty *os.File // nil where it is no terminal

	mu     sync.Mutex
	status string
	below  int // lines of status, less one
}

func newConsole(w io.Writer) *console {
	c := &console{out: newOutlet(w, nil)}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.tty = f
	}
	return c
}

// close waits a moment until all was written.
func (c *console) close() { c.out.Close() }

// clearLine moves to the start of the line and empties it, lineUp to the line above
// (ECMA-48: CR, EL and CUU).
const (
	clearLine = "\r\x1b[K"
	lineUp    = "\x1b[A"
)

// clear empties the status and stays where it began. mu is held.
func (c *console) clear() string { return clearLine + strings.Repeat(lineUp+clearLine, c.below) }

// Write implements io.Writer for whole lines, above the status line.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == "" {
		return c.out.Write(p)
	}
	fmt.Fprintf(c.out, "%s%s%s", c.clear(), p, c.status)
	return len(p), nil
}

// say writes one line for the user.
func (c *console) say(line string) { fmt.Fprintln(c, line) }

// setStatus replaces the status line by parts, the most important first; none removes it. Only on a terminal.
func (c *console) setStatus(parts []string) { c.setStatusAnd(parts, "", nil) }

// setStatusAnd does so, and writes below the line a note, a sentence that may be empty, and rows, of parts as well, as
// many as there is room for.
func (c *console) setStatusAnd(parts []string, note string, rows [][]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tty == nil || len(parts) == 0 && c.status == "" {
		return
	}
	width, height, err := term.GetSize(int(c.tty.Fd()))
	if err != nil || width < 1 || height < 1 {
		width, height = 80, 24
	}
	clear := c.clear()
	width -= 3 // a wrapped line could not be cleared, and the terminal echoes ^C behind it
	lines := append([]string{fit(parts, width)}, below(note, rows, width, height-2)...)
	c.status, c.below = strings.Join(lines, "\n"), len(lines)-1
	fmt.Fprint(c.out, clear, c.status)
}

// linesBelow bounds the lines below the status line.
const linesBelow = 12

// below are the lines below the status line, at most room of them: the note, and then the rows.
func below(note string, rows [][]string, width, room int) (lines []string) {
	room = min(max(room, 0), linesBelow)
	for _, line := range textwrap.Lines(note, width-2) {
		lines = append(lines, fit([]string{"  " + line}, width))
	}
	if len(lines) > room {
		return lines[:room]
	}
	room -= len(lines)
	more := 0
	if len(rows) > room {
		more = len(rows) - max(room-1, 0)
		rows = rows[:len(rows)-more]
	}
	for _, row := range rows {
		lines = append(lines, fit(row, width))
	}
	if more > 0 && room > 0 {
		lines = append(lines, fit([]string{"  and " + plural(more, "viewer") + " more"}, width))
	}
	return lines
}

// fit joins as many parts as have room, and never half a number.
func fit(parts []string, width int) string {
	line := ""
	for i, p := range parts {
		if i > 0 {
			p = " | " + p
		}
		if utf8.RuneCountInString(line)+utf8.RuneCountInString(p) > width {
			break
		}
		line += p
	}
	return line
}

// logger writes to the console; times only where no one is watching.
func (c *console) logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 && c.tty != nil || a.Value.Kind() == slog.KindAny && a.Value.Any() == nil {
				return slog.Attr{}
			}
			return a
		}}))
}
