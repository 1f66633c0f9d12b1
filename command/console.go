package command

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// console is standard error: log lines, and on a terminal one status line that
// stays below them.
type console struct {
	out *outlet
	tty *os.File // nil where it is no terminal

	mu     sync.Mutex
	status string
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

// clearLine moves to the start of the line and empties it (ECMA-48, CR and EL).
const clearLine = "\r\x1b[K"

// Write implements io.Writer for whole lines, above the status line.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == "" {
		return c.out.Write(p)
	}
	fmt.Fprintf(c.out, "%s%s%s", clearLine, p, c.status)
	return len(p), nil
}

// say writes one line for the user.
func (c *console) say(line string) { fmt.Fprintln(c, line) }

// setStatus replaces the status line by parts, the most important first; none removes
// it. Only on a terminal.
func (c *console) setStatus(parts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tty == nil || len(parts) == 0 && c.status == "" {
		return
	}
	width, _, err := term.GetSize(int(c.tty.Fd()))
	if err != nil || width < 1 {
		width = 80
	}
	c.status = fit(parts, width-1) // a wrapped line could not be cleared
	fmt.Fprint(c.out, clearLine, c.status)
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
