package command

import (
	"regexp"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// What urfave, and package flag below it, say of a command line that they do not understand.
var (
	unknownFlag  = regexp.MustCompile(`^flag provided but not defined: -+(.+)$`)
	lackingValue = regexp.MustCompile(`^flag needs an argument: -+(.+)$`)
	wrongValue   = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-+([^:]+): `)
	wrongEnv     = regexp.MustCompile(`^could not parse "(.*)" as .* value from environment variable "(\w+)" for flag (\w[\w-]*): `)
)

// misuse says such an error in our words: what was wrong, and what is wanted. It also keeps urfave from printing
// the whole help above it.
func misuse(c *cli.Context, err error, _ bool) error {
	flags, help := c.Command.Flags, c.Command.HelpName+" --help"
	text := err.Error()
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		if near := nearest(m[1], flagNames(flags)); near != "" {
			return usage("there is no flag %s: did you mean --%s? See `%s`", dashed(m[1]), near, help)
		}
		return usage("there is no flag %s: see `%s`", dashed(m[1]), help)
	}
	if m := lackingValue.FindStringSubmatch(text); m != nil {
		return usage("%s has no value, want %s: see `%s`", dashed(m[1]), wanted(flags, m[1]), help)
	}
	if m := wrongValue.FindStringSubmatch(text); m != nil {
		return usage("%s is %q, want %s", dashed(m[2]), m[1], wanted(flags, m[2]))
	}
	if m := wrongEnv.FindStringSubmatch(text); m != nil {
		return usage("%s in the environment is %q, want %s", m[2], m[1], wanted(flags, m[3]))
	}
	return err
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func flagNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return append(names, "help")
}

// wanted is the form of a flag's value.
func wanted(flags []cli.Flag, name string) string {
	for _, f := range flags {
		for _, n := range f.Names() {
			if n != name {
				continue
			}
			switch f.(type) {
			case *cli.DurationFlag:
				return "a time such as 500ms, 10s or 1m30s"
			case *cli.BoolFlag:
				return "true or false, or the flag alone"
			case *cli.Float64Flag:
				return "a number"
			case *cli.Uint64Flag, *cli.UintFlag:
				return "a whole number, 0 or more"
			case *cli.IntFlag, *cli.Int64Flag:
				return "a whole number"
			}
			if d, ok := docOf(f); ok && d.takes != "" {
				return d.takes
			}
		}
	}
	return "one"
}

// nearest is which of the names may have been meant: at most half of the letters differ, and three. Empty if none is
// near, or if so little was typed that all are.
func nearest(typed string, names []string) (name string) {
	least := min(len(typed)/2, 3) + 1
	for _, n := range names {
		if len(typed) < 3 || len(n) < 3 {
			continue
		}
		if d := smetrics.WagnerFischer(typed, n, 1, 1, 1); d < least {
			least, name = d, n
		}
	}
	return name
}
