package trial

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/testutil"
)

// small is a matrix of two cells and two ways.
func small(program string) *Matrix {
	pictures, queues := []bench.Picture{{Width: 320, Height: 240, FPS: 10}}, []bench.Queue{{Time: 20 * time.Millisecond}}
	return &Matrix{
		Program: program, Length: time.Second, Room: 6,
		Cells: bench.Cells(pictures, []int64{2e6}, queues, []float64{0, 0.05}),
		Ways:  []Way{{Transport: "udp", Repair: "auto", Connect: Group}, {Transport: "tcp"}},
	}
}

// Each cell has a link with all that is in its name, and 5 ms each way.
func TestLinkOfACell(t *testing.T) {
	got := Link(small("").Cells[1]).String()
	want := "rate=2mbit,delay=5ms,jitter=0ns,loss=5%,burst=1,reorder=0%,duplicate=0%,queue=5kB,mtu=1500,seed=1"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A run of the matrix is as send has it unasked, without a warm-up, and counts from its first frame.
func TestPlanOfAMatrix(t *testing.T) {
	m := small("framegram")
	p := m.plan(m.Cells[0])
	want := bench.Scenario{Width: 320, Height: 240, FPS: 10, Source: "test", Length: bench.Duration{Duration: time.Second}}
	if !p.FromStart || p.Scenario != want {
		t.Errorf("got %+v", p)
	}
	if got := strings.Join(slices.Concat(p.picture(), p.SenderArgs), " "); got != "--size 320x240 --bitrate auto" {
		t.Errorf("the sender is given %s", got)
	}
}

// Who ends a matrix before it begins hears how many runs are missing. Nothing is opened.
func TestMatrixThatIsEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := small("/no/such/framegram")
	m.Began = func(s Step) { t.Errorf("%v began", s) }
	runs, missed, err := m.Run(ctx)
	if len(runs) != 0 || missed != 4 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d runs, %d missed, %v", len(runs), missed, err)
	}
}

// What fails in one run is that run's error. The others go on, and all come in order.
func TestMatrixGoesOn(t *testing.T) {
	testutil.NeedRoot(t)
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		testutil.Skip(t, "%v", err)
	}
	m := small("/no/such/framegram")
	var steps []string
	m.Began = func(s Step) {
		if s.Run != len(steps)+1 || s.Of != 4 || s.Done < 0 || s.Done >= 1 {
			t.Errorf("step %d is %+v", len(steps)+1, s)
		}
		steps = append(steps, s.What)
	}
	runs, missed, err := m.Run(t.Context())
	if len(runs) != 4 || missed != 0 || err != nil {
		t.Fatalf("%d runs, %d missed, %v", len(runs), missed, err)
	}
	for i, r := range runs {
		want := m.Ways[i%2]
		at := r.Cell == m.Cells[i/2] && r.Transport == want.Transport && r.Connect == want.Connect
		if !at || !strings.Contains(r.Err, "/no/such/framegram") {
			t.Errorf("run %d is %+v", i, r)
		}
	}
	want := []string{
		"320x240@10, 2mbit, queue 20ms, loss 0%, udp auto group", "320x240@10, 2mbit, queue 20ms, loss 0%, tcp",
		"320x240@10, 2mbit, queue 20ms, loss 5%, udp auto group", "320x240@10, 2mbit, queue 20ms, loss 5%, tcp",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("began %q, want %q", steps, want)
	}
}
