package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/display"
)

// Exit codes.
const (
	exitDone   = 0 // what was asked for was done, or its user ended it
	exitFailed = 1 // it was understood, and did not work
	exitUsage  = 2 // it was not understood
)

// Main runs one command line and returns its exit code. Results go to stdout, all
// that is said to the user to stderr.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)     // a second Ctrl-C ends the program at once
	signal.Ignore(syscall.SIGPIPE)   // a reader that leaves is an error of the write, not the end of us
	for _, v := range os.Environ() { // a variable without a value is none
		if name, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(name, envPrefix) {
			os.Unsetenv(name)
		}
	}
	app := newApp(stdin, stdout, stderr)
	app.Metadata = map[string]any{"args": args[min(1, len(args)):]}
	err := app.RunContext(ctx, args)
	if err == nil {
		return exitDone
	}
	last := newOutlet(stderr, nil) // whose reader may be stuck
	defer last.Close()
	var code exitCode
	var failure *failure
	if errors.As(err, &code) { // said by another process
		return int(code)
	}
	if errors.As(err, &failure) {
		fmt.Fprintln(last, "framegram:", oneLine(failure.err))
		return exitFailed
	}
	fmt.Fprintln(last, "framegram:", oneLine(err))
	return exitUsage
}

// failure marks what went wrong although the command line was right. Every other
// error, urfave's own among them, is about usage.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// exitCode is that of a process which did our work and has said what there is to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usage reports a command line that cannot be carried out.
func usage(format string, a ...any) error { return &usageError{fmt.Errorf(format, a...)} }

type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

// action wraps what a command does: arguments that no flag takes are an error
// (urfave would silently ignore flags behind them), and errors are sorted.
func action(do func(*cli.Context) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Present() {
			return usage("%s takes no argument %q: flags come with a leading --, see `framegram %s --help`", c.Command.Name, c.Args().First(), c.Command.Name)
		}
		return sorted(do(c))
	}
}

// sorted tells wrong usage from what went wrong although the command line was right.
func sorted(err error) error {
	var wrong *usageError
	var source *capture.ConfigError
	var shown *display.ConfigError
	switch {
	case err == nil, errors.As(err, &wrong):
		return err
	case errors.As(err, &source): // their fields have the names of the flags
		return usage("--%s %w", source.Field, source.Err)
	case errors.As(err, &shown):
		return usage("--%s %w", shown.Field, shown.Err)
	}
	return &failure{err}
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "framegram",
		Usage:     "cast live video over a LAN, frame by frame, as datagrams",
		UsageText: "framegram COMMAND [flags]\n\nframegram demo                                 see it work on this machine\nframegram view                                 on the screen's machine\nframegram send --to SCREEN --source clip.mp4   on the other one",
		Version:   Version(),
		Commands: []*cli.Command{
			sendCommand(), viewCommand(), relayCommand(), benchCommand(), demoCommand(), devicesCommand(), completionCommand(), manCommand(), versionCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Reader: stdin, Writer: stdout, ErrWriter: stderr,
		HideVersion:               true, // `framegram version` tells more
		DisableSliceFlagSeparator: true, // a comma is part of a value
		OnUsageError:              misuse,
		ExitErrHandler:            func(*cli.Context, error) {}, // Main decides
	}
	for _, c := range app.Commands {
		c.OnUsageError, c.HideHelpCommand = misuse, true
	}
	return app
}

func unknownCommand(c *cli.Context, name string) error {
	var names []string
	for _, command := range c.App.Commands {
		names = append(names, command.Name)
	}
	if near := nearest(name, names); near != "" {
		return usage("unknown command %q: did you mean %s? See `framegram --help`", name, near)
	}
	return usage("unknown command %q, want send, view, relay, bench, demo or devices: see `framegram --help`", name)
}

// packagePrefix begins the errors of our packages, and tells a user nothing.
var packagePrefix = regexp.MustCompile(`^(?:bench|capture|codec|display|fragment|matroska|netlab|tcp|trial|udp): `)

// oneLine keeps an error on one line, whatever a library put into it.
func oneLine(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines { // errors that were joined have a line each
		lines[i] = packagePrefix.ReplaceAllString(line, "")
	}
	return strings.Join(lines, "; ")
}
