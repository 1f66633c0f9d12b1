package command

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/trial"
)

// matrixOf is what bench matrix would run with these arguments.
func matrixOf(t *testing.T, args ...string) (m *trial.Matrix, err error) {
	t.Helper()
	app := newApp(nil, io.Discard, io.Discard)
	named := func(name string) func(*cli.Command) bool { return func(c *cli.Command) bool { return c.Name == name } }
	of := app.Commands[slices.IndexFunc(app.Commands, named("bench"))]
	of.Subcommands[slices.IndexFunc(of.Subcommands, named("matrix"))].Action = func(c *cli.Context) error {
		m, err = matrixPlan(c)
		return nil
	}
	if runErr := app.Run(append([]string{"framegram", "bench", "matrix"}, args...)); runErr != nil {
		t.Fatalf("%q: %v", args, runErr)
	}
	return m, err
}

// Unasked it is all that was agreed on: 4 pictures, 8 rates, 2 queues and 3 losses, of 4 ways each.
func TestMatrixIsWhole(t *testing.T) {
	m, err := matrixOf(t)
	if err != nil {
		t.Fatal(err)
	}
	room := bench.MachineWeight(runtime.NumCPU())
	if len(m.Cells) != 192 || len(m.Ways) != 4 || m.Length != 3*time.Second || m.Room != room {
		t.Errorf("%d cells, %d ways, %v, %d at a time", len(m.Cells), len(m.Ways), m.Length, m.Room)
	}
	for i, want := range map[int]string{
		0:   "320x240@10, 1mbit, queue 20ms, loss 0%",
		1:   "320x240@10, 1mbit, queue 20ms, loss 5%",
		50:  "1280x720@30, 1mbit, queue 20ms, loss 30%",
		191: "3840x2160@30, 1gbit, queue 64kB, loss 30%",
	} {
		if got := m.Cells[i].String(); got != want {
			t.Errorf("cell %d is %s, want %s", i, got, want)
		}
	}
	want := []trial.Way{{Transport: "udp", Repair: "auto"}, {Transport: "udp", Repair: "auto", Connect: "subscribe"},
		{Transport: "udp", Repair: "auto", Connect: "group"}, {Transport: "tcp"}}
	if !slices.Equal(m.Ways, want) {
		t.Errorf("the ways are %v, want %v", m.Ways, want)
	}
}

func TestMatrixFlags(t *testing.T) {
	m, err := matrixOf(t, strings.Fields("--rate 0.5,2mbit --picture 64x48@5 --queue 10ms --loss 1% "+
		"--connect subscribe --tcp-congestion cubic --duration 1s --jobs 4")...)
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, c := range m.Cells {
		cells = append(cells, c.String())
	}
	want := []string{"64x48@5, 500kbit, queue 10ms, loss 1%", "64x48@5, 2mbit, queue 10ms, loss 1%"}
	if !slices.Equal(cells, want) {
		t.Errorf("the cells are %q, want %q", cells, want)
	}
	ways := []trial.Way{{Transport: "udp", Repair: "auto", Connect: "subscribe"}, {Transport: "tcp", Congestion: "cubic"}}
	if !slices.Equal(m.Ways, ways) {
		t.Errorf("the ways are %v, want %v", m.Ways, ways)
	}
	if m.Room != 4 || m.Length != time.Second {
		t.Errorf("%d at a time for %v", m.Room, m.Length)
	}
}

// A matrix fails for what is ours to mend: a cell in which udp shows nothing, or a run that died.
func TestMatrixFails(t *testing.T) {
	cell := bench.Cell{Rate: 1e6}
	run := func(transport string, shown int, err string) bench.CellRun {
		first := 1.0
		return bench.CellRun{Cell: cell, Transport: transport, Shown: shown, First: &first, Err: err}
	}
	for want, runs := range map[string][]bench.CellRun{
		"": {run("udp", 1, ""), run("tcp", 30, "")},
		"cells in which udp shows nothing and tcp something: 1": {run("udp", 0, ""), run("tcp", 30, "")},
		"runs that could not be measured: 1 of 2":               {run("udp", 0, "it died"), run("tcp", 30, "")},
		"cells in which udp shows nothing and tcp something: 1; runs that could not be measured: 1 of 3": {
			run("udp", 0, ""), run("udp", 0, "it died"), run("tcp", 30, ""),
		},
	} {
		err := failedCells(&bench.Matrix{Runs: runs})
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
