package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/netlab"
)

// Matrix is the program's own regression set: every way in every cell, each run on an emulated
// link of its own, and as many at a time as the machine carries.
type Matrix struct {
	Program string // the framegram to run
	Cells   []bench.Cell
	Ways    []Way
	Length  time.Duration // of each run
	Room    int           // weight of the runs under way together: see bench.Picture.Weight

	// Began is told of each run when it begins.
	Began func(Step)
}

// Step tells how far a matrix has come.
type Step struct {
	Run, Of int     // it is the Run-th, from 1
	Done    float64 // share of the work that is over
	What    string
}

// The links of a matrix have this in common.
const (
	matrixDelay = 5 * time.Millisecond // each way
	matrixMTU   = 1500
	matrixSeed  = 1
)

// Link is the link of a cell.
func Link(c bench.Cell) netlab.Params {
	return netlab.Params{
		Rate: c.Rate, Delay: matrixDelay, Loss: c.Loss,
		Queue: c.Queue.Of(c.Rate, matrixMTU), MTU: matrixMTU, Seed: matrixSeed,
	}
}

// plan is the plan of one run.
func (m *Matrix) plan(c bench.Cell) *Plan {
	return &Plan{
		Program: m.Program,
		Scenario: bench.Scenario{
			Width: c.Picture.Width, Height: c.Picture.Height, FPS: c.Picture.FPS, Source: "test",
			Length: bench.Duration{Duration: m.Length},
		},
		FromStart:  true,
		SenderArgs: []string{"--bitrate", "auto"}, // what send does unasked
	}
}

// Run runs all and returns what was measured, in the order of the cells and of the ways. When
// ctx is done, missed is how many runs were not finished, and the error is context.Cause(ctx).
// Any other error is of a kind that no run could do with.
func (m *Matrix) Run(ctx context.Context) (runs []bench.CellRun, missed int, err error) {
	type task struct {
		cell bench.Cell
		way  Way
	}
	type result struct {
		i   int
		run *bench.CellRun // nil: there is none
		err error
	}
	var tasks []task
	var all roster
	for _, c := range m.Cells {
		for _, w := range m.Ways {
			tasks = append(tasks, task{c, w})
			all.weights = append(all.weights, c.Picture.Weight())
		}
	}
	all.room = m.Room
	results, ended := make([]*bench.CellRun, len(tasks)), make(chan result)
	for under := 0; ; under-- {
		if ctx.Err() != nil || err != nil {
			missed += all.stop()
		}
		for i, ok := all.begin(); ok; i, ok = all.begin() {
			t := tasks[i]
			if m.Began != nil {
				m.Began(Step{i + 1, len(tasks), all.done(), fmt.Sprintf("%v, %v", t.cell, t.way)})
			}
			under++
			go func() {
				run, err := m.one(ctx, t.cell, t.way)
				ended <- result{i, run, err}
			}()
		}
		if under == 0 {
			break
		}
		r := <-ended
		all.end(r.i)
		if results[r.i] = r.run; r.run == nil {
			missed++
		}
		if err == nil {
			err = r.err
		}
	}
	for _, r := range results {
		if r != nil {
			runs = append(runs, *r)
		}
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return runs, missed, err
}

// one makes one run. It returns nil if ctx was done before its end: a run that was cut short
// says nothing about its cell.
func (m *Matrix) one(ctx context.Context, c bench.Cell, way Way) (*bench.CellRun, error) {
	link := Link(c)
	p, t := m.plan(c), trial{way: way, link: &link, point: &link, repeat: 1}
	place, err := p.open(t)
	if err != nil {
		return nil, err
	}
	run := p.one(ctx, place, t)
	place.close()
	if ctx.Err() != nil {
		return nil, nil
	}
	in := bench.InCell(c, run)
	return &in, nil
}
