package command

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Flag categories, in the order in which --help should show them (it sorts them).
const (
	catNetwork = "Network"
	catPicture = "Picture"
	catDisplay = "Display"
	catRun     = "Run"
	catBench   = "Measurement"
	catReport  = "Report"
)

// envPrefix begins the names of our environment variables.
const envPrefix = "FRAMEGRAM_"

// withEnv gives every flag its environment variable: --web is FRAMEGRAM_WEB.
func withEnv(flags ...cli.Flag) []cli.Flag {
	env := func(name string) []string {
		return []string{envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}
	}
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.EnvVars = env(f.Name)
		case *cli.StringSliceFlag:
			f.EnvVars = env(f.Name)
		case *cli.IntFlag:
			f.EnvVars = env(f.Name)
		case *cli.Uint64Flag:
			f.EnvVars = env(f.Name)
		case *cli.Float64Flag:
			f.EnvVars = env(f.Name)
		case *cli.BoolFlag:
			f.EnvVars = env(f.Name)
		case *cli.DurationFlag:
			f.EnvVars = env(f.Name)
		default:
			panic("command: withEnv does not know this kind of flag: " + f.String())
		}
	}
	return flags
}

// typed reports whether a flag stands on the command line, and not only in the
// environment: what is there for all commands need not fit each of them.
func typed(c *cli.Context, name string) bool {
	args, _ := c.App.Metadata["args"].([]string)
	return slices.ContainsFunc(args, func(arg string) bool {
		before, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && before == name
	})
}

// words are the values of a repeatable flag. In a variable of the environment there is
// only one, which has spaces between them.
func words(c *cli.Context, name string) (all []string) {
	for _, value := range c.StringSlice(name) {
		if typed(c, name) {
			all = append(all, value)
		} else {
			all = append(all, strings.Fields(value)...)
		}
	}
	return all
}

// join puts groups of flags together.
func join(groups ...[]cli.Flag) (all []cli.Flag) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// without leaves one flag out.
func without(name string, flags []cli.Flag) (rest []cli.Flag) {
	for _, f := range flags {
		if f.Names()[0] != name {
			rest = append(rest, f)
		}
	}
	return rest
}
