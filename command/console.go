package command

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"
)

// console is standard error: log lines, and on a terminal one status line that
// stays below them.
type console struct {
	mu     sync.Mutex
	w      io.Writer
	tty    bool
	status string
}

func newConsole(w io.Writer) *console {
	f, ok := w.(*os.File)
	return &console{w: w, tty: ok && term.IsTerminal(int(f.Fd()))}
}

// clearLine moves to the start of the line and empties it (ECMA-48, CR and EL).
const clearLine = "\r\x1b[K"

// Write implements io.Writer for whole lines, above the status line.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == "" {
		return c.w.Write(p)
	}
	if _, err := fmt.Fprintf(c.w, "%s%s%s", clearLine, p, c.status); err != nil {
		return 0, err
	}
	return len(p), nil
}

// say writes one line for the user.
func (c *console) say(line string) { fmt.Fprintln(c, line) }

// setStatus replaces the status line; an empty one removes it. Only on a terminal.
func (c *console) setStatus(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tty && (line != "" || c.status != "") {
		if width, _, err := term.GetSize(int(c.w.(*os.File).Fd())); err == nil && width > 1 {
			line = cutTo(line, width-1) // a wrapped line could not be cleared
		}
		fmt.Fprint(c.w, clearLine, line)
		c.status = line
	}
}

func cutTo(s string, width int) string {
	for i := range s {
		if width--; width < 0 {
			return s[:i]
		}
	}
	return s
}

// logger writes to the console; times only where no one is watching.
func (c *console) logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 && c.tty || a.Value.Kind() == slog.KindAny && a.Value.Any() == nil {
				return slog.Attr{}
			}
			return a
		}}))
}
