package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/netlab"
	"github.com/framegram/framegram/internal/units"
	"github.com/framegram/framegram/trial"
)

func matrixCommand() *cli.Command {
	return &cli.Command{
		Name:      "matrix",
		Usage:     "run the regression set: udp and tcp from slow links to fast ones, small pictures to large ones",
		UsageText: "framegram bench matrix [flags]",
		Description: "Each combination of --picture, --rate, --queue and --loss is a cell, with 5 ms of delay each way. " +
			"In each cell udp is run with each of --connect, and tcp once, every time over an emulated link of its own (Linux). " +
			"A run is measured from its first frame on, with `--bitrate auto` and `--repair auto`, which are send's defaults. " +
			"Several runs go on at a time where the machine has cores for them.\n\n" +
			"The exit code is 1 if in any cell udp by push or subscribe shows nothing while tcp shows something, " +
			"or if a run could not be measured.",
		HideHelpCommand: true, OnUsageError: misuse,
		Flags: withEnv(
			&cli.StringFlag{Name: "rate", Category: catBench, Value: "1mbit,2mbit,5mbit,10mbit,20mbit,50mbit,100mbit,1gbit",
				Usage: "`LIST` of the link's rates; a number without a unit is in Mbit/s"},
			&cli.StringFlag{Name: "picture", Category: catBench, Value: "320x240@10,1280x720@30,1920x1080@60,3840x2160@30",
				Usage: "`LIST` of pictures as WxH@FPS"},
			&cli.StringFlag{Name: "queue", Category: catBench, Value: "20ms,64kB",
				Usage: "`LIST` of the link's queues: bytes, or a time for what the rate carries in it, at least one packet"},
			&cli.StringFlag{Name: "loss", Category: catBench, Value: "0,5%,30%", Usage: "`LIST` of the link's losses, each way"},
			&cli.StringFlag{Name: "connect", Category: catBench, Value: "push,subscribe,group",
				Usage: "`LIST` of how the viewer of udp comes by the stream, of push,subscribe,group"},
			&cli.StringFlag{Name: "tcp-congestion", Category: catBench, DefaultText: "the system's",
				Usage: "congestion control to run tcp with, a `NAME` such as cubic or bbr"},
			&cli.DurationFlag{Name: "duration", Category: catBench, Value: 3 * time.Second, Usage: "`TIME` of each run"},
			&cli.IntFlag{Name: "jobs", Category: catBench, DefaultText: "three for each core",
				Usage: "`N` runs of small pictures at a time, at most 1000; one of 1080p60 counts as three, " +
					"one of 2160p30 as six, and what is over N runs alone"},
			&cli.StringFlag{Name: "json", Category: catReport, Usage: "write every run to `FILE`, for programs"},
			&cli.StringFlag{Name: "markdown", Category: catReport,
				Usage: "write the tables to `FILE`, to be pasted into a document"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: catRun, Usage: "log more"},
		),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("bench matrix takes no argument %q: flags come with a leading --, see `%s --help`",
					c.Args().First(), c.Command.HelpName)
			}
			if of := c.Lineage(); len(of) > 1 && of[1].NumFlags() > 0 { // they would be ignored
				return usage("--%s stands before matrix, whose flags come behind it: see `%s --help`",
					of[1].LocalFlagNames()[0], c.Command.HelpName)
			}
			return sorted(run(c, "bench", func(s *session) error { return runMatrix(c, s) }))
		},
	}
}

// matrixPlan is what the flags ask for.
func matrixPlan(c *cli.Context) (m *trial.Matrix, err error) {
	m = &trial.Matrix{Length: c.Duration("duration"), Room: bench.MachineWeight(runtime.NumCPU())}
	if m.Program, err = os.Executable(); err != nil {
		return nil, err
	}
	pictures, err := listOf(c, "picture", bench.ParsePicture)
	if err != nil {
		return nil, err
	}
	rates, err := listOf(c, "rate", parseLinkRate)
	if err != nil {
		return nil, err
	}
	queues, err := listOf(c, "queue", bench.ParseQueue)
	if err != nil {
		return nil, err
	}
	losses, err := listOf(c, "loss", parseLoss)
	if err != nil {
		return nil, err
	}
	congestion := c.String("tcp-congestion")
	if len(list(congestion)) > 1 {
		return nil, usage("--tcp-congestion is %q, want one name: each of several would be another matrix", congestion)
	}
	if m.Ways, err = ways("udp,tcp", congestion, "auto", c.String("connect")); err != nil {
		return nil, err
	}
	if c.IsSet("jobs") {
		m.Room = c.Int("jobs")
	}
	switch {
	case m.Room < 1 || m.Room > 1000:
		return nil, usage("--jobs is %d, want 1..1000", m.Room)
	case m.Length < time.Second || m.Length > time.Hour:
		return nil, usage("--duration is %v, want 1s..1h", m.Length)
	}
	m.Cells = bench.Cells(pictures, rates, queues, losses)
	for _, cell := range m.Cells { // what the link would refuse in the middle
		if _, err := netlab.Parse(trial.Link(cell).String()); err != nil {
			return nil, usage("%v: %w", cell, err)
		}
	}
	return m, nil
}

// listOf reads a flag that is a list, of which each is given once.
func listOf[T comparable](c *cli.Context, name string, parse func(string) (T, error)) (all []T, err error) {
	for _, text := range list(c.String(name)) {
		one, err := parse(text)
		if err != nil {
			return nil, usage("--%s has %q, %w", name, text, err)
		}
		if slices.Contains(all, one) {
			return nil, usage("--%s has %s twice: each of a list once", name, text)
		}
		all = append(all, one)
	}
	return all, nil
}

// parseLinkRate reads a rate. A number alone is in Mbit/s.
func parseLinkRate(text string) (int64, error) {
	if _, err := units.ParseNumber(text); err == nil {
		text += "mbit"
	}
	rate, err := units.Parse(text, units.Rates)
	if err != nil || rate < 8_000 || rate > 10e9 {
		return 0, errors.New("want 8kbit..10gbit; a number without a unit is in Mbit/s")
	}
	return rate, nil
}

// parseLoss reads a share.
func parseLoss(text string) (float64, error) {
	n, err := units.Parse(text, units.Shares)
	if err != nil || n > 1e8 {
		return 0, errors.New("want a share such as 5%, at most 100%")
	}
	return float64(n) / 1e8, nil
}

func runMatrix(c *cli.Context, s *session) error {
	plan, err := matrixPlan(c)
	if err != nil {
		return err
	}
	switch code, done, err := netlab.Reexec(c.Context, c.App.Reader, c.App.Writer, c.App.ErrWriter); {
	case err != nil:
		return err
	case done:
		return exitCode(code)
	}
	files, err := openReports(c, "json", "markdown")
	if err != nil {
		return err
	}
	m := &bench.Matrix{Meta: benchMeta(), Length: plan.Length}
	m.Meta.Seed = int64(trial.Link(plan.Cells[0]).Seed)
	began := time.Now()
	plan.Began = func(p trial.Step) { s.progress(began, p.Run, p.Of, p.Done, p.What) }
	m.Runs, m.Missed, err = plan.Run(c.Context)
	s.console.setStatus(nil)
	interrupted := c.Context.Err() != nil
	if interrupted {
		err = nil // what was measured is kept
	}
	if err == nil && (len(m.Runs) > 0 || interrupted) {
		err = bench.WriteMatrixText(c.App.Writer, m)
	}
	return errors.Join(err, files.write(len(m.Runs) > 0, map[string]func(io.Writer) error{
		"json":     func(w io.Writer) error { return bench.WriteMatrixJSON(w, m) },
		"markdown": func(w io.Writer) error { return bench.WriteMatrixMarkdown(w, m) },
	}), failedCells(m))
}

// failedCells is the error of a matrix that shows a fault of ours, or of a run that measured
// nothing.
func failedCells(m *bench.Matrix) error {
	var says []string
	if n := len(m.Failed()); n > 0 {
		says = append(says, fmt.Sprintf("cells in which udp shows nothing and tcp something: %d", n))
	}
	if n := len(m.Unmeasured()); n > 0 {
		says = append(says, fmt.Sprintf("runs that could not be measured: %d of %d", n, len(m.Runs)))
	}
	if says == nil {
		return nil
	}
	return errors.New(strings.Join(says, "; "))
}
