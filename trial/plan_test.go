package trial

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/netlab"
	"github.com/framegram/framegram/internal/testutil"
)

// Transports take turns, in an order that is reversed with every repeat, at every point
// of the sweep.
func TestTrialsAlternate(t *testing.T) {
	sweep, err := netlab.ParseSweep("loss=0,1%")
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Ways: []Way{{Transport: "udp"}, {Transport: "tcp", Congestion: "cubic"}}, Repeat: 2, Link: &netlab.Params{Rate: 1e8}, Sweep: &sweep}
	all, err := p.trials()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range all {
		got = append(got, trial.String())
		if trial.link.Rate != 1e8 || (trial.link.Loss > 0) != (trial.sweep.Value == "1%") {
			t.Errorf("%v goes over %v", trial, trial.link)
		}
	}
	want := []string{
		"udp loss=0%, repeat 1", "tcp cubic loss=0%, repeat 1", "udp loss=1%, repeat 1", "tcp cubic loss=1%, repeat 1",
		"tcp cubic loss=0%, repeat 2", "udp loss=0%, repeat 2", "tcp cubic loss=1%, repeat 2", "udp loss=1%, repeat 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What another machine asks for reaches a command line only if it is harmless.
func TestQuestionsAreChecked(t *testing.T) {
	view := func(transport, congestion string, args ...string) question {
		return question{&viewing{Way: Way{Transport: transport, Congestion: congestion}, Args: args}}
	}
	all := &viewing{Way: Way{Transport: "udp", Repair: "nack"}, Deadline: bench.Duration{Duration: time.Second}}
	asking := func(transport, from string) *viewing {
		return &viewing{Way: Way{Transport: transport, Connect: Subscribe}, From: from}
	}
	for _, good := range []question{
		{all}, {asking("udp", ":5600")}, {asking("udp", ":65535")}, view("udp", ""), view("tcp", "bbr"), view("tcp", "tcp_x-2"),
	} {
		if err := good.check(nil); err != nil {
			t.Errorf("%+v: %v", good.View, err)
		}
	}
	for _, bad := range []question{
		{&viewing{Way: Way{Transport: "udp", Connect: Group}}}, {&viewing{Way: Way{Transport: "udp", Connect: "push"}}},
		{&viewing{Way: Way{Transport: "udp", Connect: Subscribe}}}, {asking("udp", "10.0.0.1:5600")},
		{asking("udp", ":0")}, {asking("udp", ":99999x")}, {asking("udp", ":5600 --record")}, {asking("tcp", ":5600")}, {&viewing{Way: Way{Transport: "udp"}, From: ":5600"}},
		{&viewing{Way: Way{Transport: "udp", Repair: "--record"}}}, {&viewing{Way: Way{Transport: "udp"}, Deadline: bench.Duration{Duration: time.Hour}}},
		view("unix", ""), view("", ""), view("tcp", "--record"), view("tcp", "a b"), view("tcp", "$(x)"), view("udp", "", "--record"), {},
	} {
		if err := bad.check(nil); err == nil {
			t.Errorf("%+v was allowed", bad.View)
		}
	}
	running := &localViewer{}
	if view("udp", "").check(running) == nil || (question{}).check(running) != nil {
		t.Error("one viewer at a time")
	}
}

// Each repeat has the next seed, unless the seeds are what is swept; the repeats of a
// point keep its name.
func TestRepeatsHaveSeedsOfTheirOwn(t *testing.T) {
	p := &Plan{Ways: []Way{{Transport: "udp"}, {Transport: "tcp"}}, Repeat: 3, Link: &netlab.Params{Seed: 7}}
	all, err := p.trials()
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range all {
		if want := uint64(6 + trial.repeat); trial.link.Seed != want || trial.point.Seed != 7 {
			t.Errorf("%v: seeds %d, %d, want %d, 7", trial, trial.link.Seed, trial.point.Seed, want)
		}
	}
	sweep, err := netlab.ParseSweep("seed=1,5")
	if err != nil {
		t.Fatal(err)
	}
	p.Sweep = &sweep
	if all, err = p.trials(); err != nil {
		t.Fatal(err)
	}
	for _, trial := range all {
		if want := map[string]uint64{"1": 1, "5": 5}[trial.sweep.Value]; trial.link.Seed != want {
			t.Errorf("%v: seed %d, want %d", trial, trial.link.Seed, want)
		}
	}
}

// Both ends are told of the repair, the sender of its parity, the viewer of its deadline:
// each only what means something to it.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		way          Way
		send, viewed string
	}{
		{Way{Transport: "udp", Repair: "none"}, "--repair none", "--repair none"},
		{Way{Transport: "udp", Repair: "fec"}, "--repair fec --parity 20%", "--repair fec"},
		{Way{Transport: "udp", Repair: "nack"}, "--repair nack", "--repair nack --deadline 50ms"},
		{Way{Transport: "udp", Repair: "auto"}, "--repair auto --parity 20%", "--repair auto --deadline 50ms"},
		{Way{Transport: "tcp", Congestion: "bbr"}, "--tcp-congestion bbr", "--tcp-congestion bbr"},
		{Way{Transport: "tcp"}, "", ""},
		{Way{Transport: "tcp", Slices: "auto"}, "--slices auto", ""},
		{Way{Transport: "udp", Repair: "fec", Slices: "4"}, "--repair fec --parity 20% --slices 4", "--repair fec"},
	} {
		v := viewing{Way: c.way, Deadline: bench.Duration{Duration: 50 * time.Millisecond}}
		if got := strings.Join(c.way.sender("20%"), " "); got != c.send {
			t.Errorf("%+v: sender %q, want %q", c.way, got, c.send)
		}
		if got := strings.Join(v.args(), " "); got != c.viewed {
			t.Errorf("%+v: viewer %q, want %q", c.way, got, c.viewed)
		}
	}
}

// The viewer listens where it can be sent to, asks the sender, or joins the group.
func TestWhereViewersAre(t *testing.T) {
	for _, c := range []struct {
		v          viewing
		host, want string
	}{
		{viewing{Way: Way{Transport: "udp"}}, "127.0.0.1", "--listen udp://127.0.0.1:0"},
		{viewing{Way: Way{Transport: "tcp"}}, "", "--listen tcp://:0"},
		{viewing{Way: Way{Transport: "udp"}}, "fd79::2", "--listen udp://[fd79::2]:0"},
		{
			viewing{Way: Way{Transport: "udp", Connect: Subscribe}, From: "10.79.0.1:1234"},
			"10.79.0.2", "--from udp://10.79.0.1:1234",
		},
		{viewing{Way: Way{Transport: "udp", Connect: Group}}, "10.79.0.2", "--listen udp://239.255.77.1:5600"},
	} {
		if got := strings.Join(c.v.where(c.host), " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.v, got, c.want)
		}
	}
	for said, want := range map[string]string{
		"waiting for frames on 127.0.0.1:41234 over udp: framegram send --to 127.0.0.1:41234": "127.0.0.1:41234",
		"waiting for frames on [::]:5600 over tcp":                                            "[::]:5600",
		"asking 10.79.0.1:1234 for frames over udp":                                           "10.79.0.1:1234",
	} {
		if m := begun.FindStringSubmatch(said); m == nil || m[1] != want {
			t.Errorf("%q is understood as %q", said, m)
		}
	}
	said := "serving test card 320x240 at 10 fps on 10.79.0.1:5600 over udp: framegram view --from 10.79.0.1"
	if m := serving.FindStringSubmatch(said); m == nil || m[1] != "10.79.0.1:5600" {
		t.Errorf("%q is understood as %q", said, m)
	}
}

// A group is had on an emulated link only. No process is started.
func TestNoGroupLeavesThisMachine(t *testing.T) {
	p := &Plan{Program: "/no/such/framegram", Ways: []Way{{Transport: "udp", Connect: Group}}, Repeat: 1}
	all, err := p.trials()
	if err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]place{"loopback": loopback{}, "another machine": &Receiver{}} {
		if run := p.one(t.Context(), place, all[0]); !strings.Contains(run.Err, "a group needs an emulated link") {
			t.Errorf("%s: %q", name, run.Err)
		}
	}
	if all[0].what() != "udp group" {
		t.Errorf("it is called %s", all[0].what())
	}
}

// Where a sender began is what its last figures say: their time less how long it has run.
func TestBeginOfASender(t *testing.T) {
	for text, want := range map[string]int64{
		`{"unix":1790000003.25,"elapsed_s":3.2499}`: 1790000000000100, `{"elapsed_s":3}`: 0, `{}`: 0,
	} {
		var f figures
		if err := json.Unmarshal([]byte(text), &f); err != nil || f.began() != want {
			t.Errorf("%s: %v, %d, want %d", text, err, f.began(), want)
		}
	}
}

// What older ends do not count is nothing, and what they count is told.
func TestRepairsOfBothEnds(t *testing.T) {
	read := func(text string) (f figures) {
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	rx := read(`{"view":{"frames":{"lost":4},"udp":{"fragments":{"complete":100,"rebuilt":7,"repaired":3,"missing":60}}}}`)
	tx := read(`{"send":{"udp":{"datagrams":10,"bytes":1000,"repairs":{"resent":5,"resent_bytes":500,"gone":2,"refused":1}}}}`)
	if got, want := *repairs(&tx, &rx), (bench.Repairs{AtOnce: 90, Rebuilt: 7, Repaired: 3, GivenUp: 4, Missing: 60, Resent: 5, ResentBytes: 500, Gone: 2, Refused: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if wire := tx.sender(nil, 0).Wire; wire != 1500+15*28 {
		t.Errorf("%d bytes on the wire, want those sent again, too", wire)
	}
	old := read(`{"view":{"udp":{"fragments":{"complete":100,"rebuilt":7}}}}`)
	if got := *repairs(&figures{}, &old); got != (bench.Repairs{AtOnce: 93, Rebuilt: 7}) {
		t.Errorf("got %+v", got)
	}
}

// The user counts a squeeze from the begin of what is measured, the link from its first packet.
func TestSqueezeBeginsBehindTheWarmup(t *testing.T) {
	testutil.NeedRoot(t)
	link := netlab.Params{Rate: 1e8, Squeeze: netlab.Squeeze{Rate: 2e7, After: time.Second, For: time.Second}}
	p := &Plan{Scenario: bench.Scenario{Warmup: bench.Duration{Duration: 2 * time.Second}}, Link: &link, Ways: []Way{{Transport: "udp"}}, Repeat: 1}
	all, err := p.trials()
	if err != nil {
		t.Fatal(err)
	}
	place, err := p.open(all[0])
	if err != nil {
		testutil.Skip(t, "%v", err)
	}
	defer place.close()
	l := place.(*lab)
	if after := l.opened.Squeeze.After; after != 3*time.Second || !strings.HasSuffix(place.name(), "squeeze=20mbit@1s+1s") {
		t.Errorf("squeezed after %v, and its name is %s", after, place.name())
	}
	run := p.one(t.Context(), place, all[0])
	if run.Err == "" || run.Squeeze == nil || run.Squeeze.At.Duration != time.Second || run.Seed != 1 {
		t.Errorf("a run of no program: %+v", run)
	}
}

// Who ends a bench is told of what was not run.
func TestMissedTrialsAreTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var missed []bench.Missing
	p := &Plan{Ways: []Way{{Transport: "udp", Repair: "auto"}, {Transport: "tcp"}}, Repeat: 2, Missed: func(m bench.Missing) { missed = append(missed, m) }}
	err := p.Run(ctx, func(bench.Run) { t.Error("something was run") })
	want := []bench.Missing{{What: "udp auto", Repeat: 1}, {What: "tcp", Repeat: 1}, {What: "tcp", Repeat: 2}, {What: "udp auto", Repeat: 2}}
	if !errors.Is(err, context.Canceled) || !slices.Equal(missed, want) {
		t.Errorf("%v, and missed are %+v, want %+v", err, missed, want)
	}
}
