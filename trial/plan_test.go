package trial

import (
	"slices"
	"testing"

	"github.com/framegram/framegram/internal/netlab"
)

// Transports take turns, in an order that is reversed with every repeat, at every point
// of the sweep.
func TestTrialsAlternate(t *testing.T) {
	sweep, err := netlab.ParseSweep("loss=0,1%")
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Ways: []Way{{Transport: "udp"}, {"tcp", "cubic"}}, Repeat: 2, Link: &netlab.Params{Rate: 1e8}, Sweep: &sweep}
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
		"udp loss=0%, repeat 1", "tcp (cubic) loss=0%, repeat 1", "udp loss=1%, repeat 1", "tcp (cubic) loss=1%, repeat 1",
		"tcp (cubic) loss=0%, repeat 2", "udp loss=0%, repeat 2", "tcp (cubic) loss=1%, repeat 2", "udp loss=1%, repeat 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What another machine asks for reaches a command line only if it is harmless.
func TestQuestionsAreChecked(t *testing.T) {
	view := func(transport, congestion string, args ...string) question {
		return question{&viewing{Way{transport, congestion}, args}}
	}
	for _, good := range []question{view("udp", ""), view("tcp", "bbr"), view("tcp", "tcp_x-2")} {
		if err := good.check(nil); err != nil {
			t.Errorf("%+v: %v", good.View, err)
		}
	}
	for _, bad := range []question{
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
