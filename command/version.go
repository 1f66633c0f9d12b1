package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/fragment"
)

// version is set when building: -ldflags "-X github.com/framegram/framegram/command.version=1.2.3".
var version string

// Version is what this program is, such as "1.2.3", or "dev" where nobody said.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "tell what this program is and what its build has", UsageText: "framegram version",
		Action: action(func(c *cli.Context) error {
			_, err := fmt.Fprintf(c.App.Writer, "framegram %s\nprotocol %d\n%s %s/%s\nJPEG: %s\nwindow and video files: %s\n",
				Version(), fragment.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, codec.Backend(), display.OpenCV())
			return err
		}),
	}
}
