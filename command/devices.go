package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
)

func devicesCommand() *cli.Command {
	return &cli.Command{
		Name: "devices", Usage: "list the cameras of this machine with their formats, sizes and rates",
		UsageText: "framegram devices",
		Action: action(func(c *cli.Context) error {
			devices, err := capture.Devices(c.Context)
			if err != nil {
				return err
			}
			var page strings.Builder
			printDevices(&page, devices)
			_, err = io.WriteString(c.App.Writer, page.String())
			return err
		}),
	}
}

// printDevices writes a paragraph for each camera, and a line for each of its sizes.
func printDevices(w io.Writer, devices []capture.Device) {
	if len(devices) == 0 {
		fmt.Fprintln(w, "no camera found")
	}
	for i, d := range devices {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if d.Err != nil {
			fmt.Fprintf(w, "%s  %s\n  %v\n", d.Source, d.Path, d.Err)
			continue
		}
		fmt.Fprintf(w, "%s  %s  %q (%s, %s)\n", d.Source, d.Path, d.Name, d.Driver, d.Bus)
		for _, f := range d.Formats {
			passes := ""
			if f.FourCC == "MJPG" || f.FourCC == "JPEG" {
				passes = ", passed on untouched"
			}
			fmt.Fprintf(w, "  %-4s %s%s\n", f.FourCC, f.Description, passes)
			for _, s := range f.Sizes {
				fmt.Fprintf(w, "       %v%s\n", s, rateWords(s.Rates))
			}
		}
	}
}

func rateWords(rates []capture.RateRange) string {
	var words []string
	for _, r := range rates {
		if r.Min == r.Max {
			words = append(words, fmt.Sprintf("%.4g", r.Max))
		} else {
			words = append(words, fmt.Sprintf("%.4g..%.4g", r.Min, r.Max))
		}
	}
	if words == nil {
		return ""
	}
	return " at " + strings.Join(words, ", ") + " fps"
}
