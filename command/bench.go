package command

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/netlab"
	"github.com/framegram/framegram/trial"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name: "bench", Usage: "measure which transport serves better, tcp or udp, with numbers and plots",
		UsageText: "framegram bench [--link LINK] [--sweep KEY=VALUES] [--html FILE] [flags]\n" +
			"framegram bench --receiver [--listen [HOST][:PORT]]\nframegram bench --sender HOST[:PORT] [flags]\n" +
			"framegram bench compare A.json B.json\nframegram bench matrix [flags]",
		Description: "Both ends run as processes of their own, over the loopback interface or over a link that is emulated between two network namespaces (Linux).\n\n" +
			"A link is " + netlab.Grammar + "; bench counts a squeeze's time from the begin of what it measures, after the --warmup\n\nA sweep is " + netlab.SweepGrammar + "\n\n" + presetTable(),
		Flags: benchFlags(),
		Subcommands: []*cli.Command{{
			Name: "compare", Usage: "show what changed between two reports (--json), with its spread",
			UsageText: "framegram bench compare A.json B.json", ArgsUsage: "A.json B.json", HideHelpCommand: true, OnUsageError: misuse,
			Action: func(c *cli.Context) error { return sorted(compareReports(c)) },
		}, matrixCommand()},
		Action: action(func(c *cli.Context) error { return run(c, "bench", func(s *session) error { return runBench(c, s) }) }),
	}
}

func benchFlags() []cli.Flag {
	return append(withEnv(
		&cli.StringFlag{Name: "transport", Category: catBench, Value: "udp,tcp", Usage: "`LIST` of transports to compare"},
		&cli.StringFlag{Name: "tcp-congestion", Category: catBench, DefaultText: "the system's", Usage: "`LIST` of congestion controls to run tcp with, such as cubic,bbr (Linux)"},
		&cli.StringFlag{Name: "repair", Category: catBench, Value: "auto", Usage: "`LIST` of what udp does about losses, of none,fec,nack,auto: it is run with each"},
		&cli.StringFlag{Name: "parity", Category: catBench, DefaultText: "as of send", Usage: "share of parity, `auto|SHARE`, such as 10%, as of send: for fec, and the least for auto"},
		&cli.StringFlag{Name: "connect", Category: catBench, Value: "push",
			Usage: "`LIST` of how the viewer of udp comes by the stream, of push,subscribe,group: it listens, asks the sender, " +
				"or joins a multicast group (--link only); it is run with each"},
		&cli.StringFlag{Name: "bitrate", Category: catBench, Value: "off", Usage: "`auto|off|RATE`, as of send, for every transport: off makes all carry the same pictures"},
		&cli.StringFlag{Name: "slices", Category: catPicture, DefaultText: "as of send", Usage: "`LIST` of strips of a picture, of auto and 1..64, as of send: every transport is run with each"},
		&cli.StringFlag{Name: "link", Category: catBench, DefaultText: "the loopback interface",
			Usage: "emulated `LINK` between the two ends: a preset (" + presetNames() + "), or such as rate=100mbit,delay=5ms,loss=1%,seed=1"},
		&cli.StringFlag{Name: "sweep", Category: catBench, Usage: "measure at several `KEY=VALUES` of the link, such as loss=0,0.1%,0.5%,1%"},
		&cli.DurationFlag{Name: "duration", Category: catBench, Value: 10 * time.Second, Usage: "`TIME` of each run that is measured"},
		&cli.DurationFlag{Name: "warmup", Category: catBench, Value: time.Second, Usage: "`TIME` before, which is not"},
		&cli.IntFlag{Name: "repeat", Category: catBench, Value: 1, Usage: "`N` runs of each, at most 100; the report has their median and spread. Of an emulated link each has the next seed"},
		&cli.DurationFlag{Name: "deadline", Category: catBench, DefaultText: "a frame interval", Usage: "`TIME` within which a frame counts as in time; if given, viewers over udp ask for repairs for so long, too"},
		&cli.StringFlag{Name: "source", Category: catPicture, Value: "test", Usage: "`WHAT` to send, as of send: a recording makes both transports carry the same bytes"},
		&cli.StringFlag{Name: "size", Category: catPicture, Value: "1280x720", DefaultText: "1280x720 for test, else the source's own", Usage: "size of the picture as `WxH` pixels"},
		&cli.Float64Flag{Name: "fps", Category: catPicture, Value: 30, Usage: "`FRAMES` a second"},
		&cli.IntFlag{Name: "quality", Category: catPicture, DefaultText: "80; JPEGs as they come", Usage: "JPEG quality, `1..100`"},
		&cli.BoolFlag{Name: "receiver", Category: catBench, Usage: "be the viewer's machine for a bench that another one runs with --sender, until Ctrl-C"},
		&cli.StringFlag{Name: "listen", Category: catBench, DefaultText: fmt.Sprintf(":%d", trial.DefaultPort), Usage: "--receiver: be asked on `[HOST][:PORT]` (TCP)"},
		&cli.StringFlag{Name: "sender", Category: catBench, Usage: "send to the machine `HOST[:PORT]`, on which `framegram bench --receiver` runs"},
		&cli.StringFlag{Name: "json", Category: catReport, Usage: "write the report to `FILE`, for `bench compare` and programs"},
		&cli.BoolFlag{Name: "traces", Category: catReport, Usage: "with --json: every frame's times, too"},
		&cli.StringFlag{Name: "csv", Category: catReport, Usage: "write a line for every run to `FILE`"},
		&cli.StringFlag{Name: "markdown", Category: catReport, Usage: "write the report's tables to `FILE`, to be pasted into a document"},
		&cli.StringFlag{Name: "html", Category: catReport, Usage: "write the report with its plots to `FILE`, one page that needs nothing else"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: catRun, Usage: "log more"},
	), slowDecoderFlag(), queueFlag())
}

// presetTable lists the presets with their values.
func presetTable() string {
	var b strings.Builder
	b.WriteString("Presets of --link:\n")
	for _, p := range netlab.Presets {
		fmt.Fprintf(&b, "\n%-9s %s (%s)", p.Name, p.Params, p.Why)
	}
	return b.String()
}

func presetNames() string {
	var names []string
	for _, p := range netlab.Presets {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func runBench(c *cli.Context, s *session) error {
	plan, err := benchPlan(c)
	if err != nil {
		return err
	}
	if c.Bool("receiver") {
		return s.benchReceiver(c, plan.Program)
	}
	if plan.Link != nil || plan.Sweep != nil {
		code, done, err := netlab.Reexec(c.Context, c.App.Reader, c.App.Writer, c.App.ErrWriter)
		switch {
		case err != nil:
			return fmt.Errorf("--link: %w: without it the loopback interface is measured", err)
		case done:
			return exitCode(code)
		}
	}
	files, err := openReports(c, "json", "csv", "markdown", "html")
	if err != nil {
		return err
	}
	report := &bench.Report{Meta: benchMeta()}
	if plan.Link != nil {
		report.Meta.Seed = int64(plan.Link.Seed)
	}
	if to := c.String("sender"); to != "" {
		a, err := parseAddress("sender", to, "tcp")
		if err != nil {
			return err
		}
		if _, _, ok := splitPort(strings.TrimPrefix(to, "tcp://")); !ok {
			a.port = trial.DefaultPort
		}
		if plan.Receiver, err = trial.Dial(c.Context, a.String()); err != nil {
			return fmt.Errorf("--sender %q: %w", to, err)
		}
		defer plan.Receiver.Close()
		here := report.Meta.Machine
		report.Meta.Machine, report.Meta.Peer = plan.Receiver.Machine, &here
		if v := plan.Receiver.Version; v != Version() {
			s.log.Warn("the two machines run different versions", slog.String("here", Version()), slog.String("there", v))
		}
	}
	began := time.Now()
	plan.Began = func(i, n int, what string) { s.progress(began, i, n, float64(i-1)/float64(n), what) }
	plan.Missed = func(m bench.Missing) { report.Meta.Missing = append(report.Meta.Missing, m) }
	err = plan.Run(c.Context, report.Add)
	s.console.setStatus(nil)
	interrupted := c.Context.Err() != nil
	if interrupted {
		err = nil // what was measured is kept
	}
	if err == nil && (len(report.Runs) > 0 || interrupted) {
		err = bench.WriteText(c.App.Writer, report)
	}
	traces := c.Bool("traces")
	return errors.Join(err, files.write(len(report.Runs) > 0, map[string]func(io.Writer) error{
		"json":     func(w io.Writer) error { return bench.WriteJSON(w, report, traces) },
		"csv":      func(w io.Writer) error { return bench.WriteCSV(w, report) },
		"markdown": func(w io.Writer) error { return bench.WriteMarkdown(w, report) },
		"html":     func(w io.Writer) error { return bench.WriteHTML(w, report) },
	}), failedRuns(report))
}

// benchMeta is what a report says of this machine and of now.
func benchMeta() bench.Meta {
	return bench.Meta{
		Time: time.Now(), Machine: thisMachine(), Version: Version(), Go: runtime.Version(),
		Command: strings.Join(os.Args, " "),
	}
}

// benchReceiver is the other half of a bench that another machine runs.
func (s *session) benchReceiver(c *cli.Context, program string) error {
	a, err := parseAddress("listen", c.String("listen"), "tcp")
	if err != nil {
		return err
	}
	if _, _, ok := splitPort(c.String("listen")); !ok {
		a.port = trial.DefaultPort
	}
	l, err := net.Listen("tcp", a.String())
	if err != nil {
		return inWords("listen", c.String("listen"), err)
	}
	s.say(fmt.Sprintf("waiting to measure on %v: framegram bench --sender %s", l.Addr(), ownAddress()))
	return trial.Serve(c.Context, l, program, thisMachine(), Version(), s.log)
}

// failedRuns is the error of runs that measured nothing. Each of them is in the report.
func failedRuns(r *bench.Report) error {
	if n := len(r.Troubles()); n > 0 {
		return fmt.Errorf("%d of %d runs failed or showed nothing in time", n, len(r.Runs))
	}
	return nil
}

// progress says which run begins, and on a terminal how long all will take: done is the
// share of the work that is over.
func (s *session) progress(began time.Time, i, n int, done float64, what string) {
	text := fmt.Sprintf("run %d of %d: %s", i, n, what)
	if s.console.tty == nil {
		s.console.say(text)
		return
	}
	const cells = 20
	full := min(int(cells*done), cells)
	bar := strings.Repeat("█", full) + strings.Repeat("░", cells-full)
	left := ""
	if done > 0 {
		all := time.Duration(float64(time.Since(began)) / done)
		left = fmt.Sprintf("%v left", (all - time.Since(began)).Round(time.Second))
	}
	s.console.setStatus([]string{bar + " " + text, left})
}

// reportFiles are what a report is written to besides standard output.
type reportFiles map[string]*os.File

// openReports creates them before anything is measured: a wrong path should not be
// told after ten minutes.
func openReports(c *cli.Context, kinds ...string) (reportFiles, error) {
	files := reportFiles{}
	for _, kind := range kinds {
		path := c.String(kind)
		if path == "" {
			continue
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", kind, err)
		}
		files[kind] = f
	}
	return files, nil
}

// write writes the report in every form that was asked for, over what was there, if any of
// it was measured.
func (files reportFiles) write(any bool, how map[string]func(io.Writer) error) error {
	var errs []error
	for kind, f := range files {
		if any {
			errs = append(errs, f.Truncate(0), how[kind](f))
		}
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func compareReports(c *cli.Context) error {
	if c.Args().Len() != 2 {
		return usage("bench compare wants two reports: framegram bench compare A.json B.json")
	}
	var reports []*bench.Report
	for _, path := range c.Args().Slice() {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		r, err := bench.ReadReport(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
	}
	return bench.WriteCompare(c.App.Writer, reports[0], reports[1])
}
