package command

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// Flag categories, in the order in which --help should show them (it sorts them).
const (
	catNetwork = "Network"
	catPicture = "Picture"
	catDisplay = "Display"
	catRun     = "Run"
)

// withEnv gives every flag its environment variable: --web is FRAMEGRAM_WEB.
func withEnv(flags ...cli.Flag) []cli.Flag {
	env := func(name string) []string {
		return []string{"FRAMEGRAM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}
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
