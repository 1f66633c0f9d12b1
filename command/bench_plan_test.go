package command

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/trial"
)

// planOf is what bench would measure with these arguments.
func planOf(t *testing.T, args ...string) (plan *trial.Plan, err error) {
	t.Helper()
	app := newApp(nil, io.Discard, io.Discard)
	i := slices.IndexFunc(app.Commands, func(c *cli.Command) bool { return c.Name == "bench" })
	app.Commands[i].Action = func(c *cli.Context) error {
		plan, err = benchPlan(c)
		return nil
	}
	if runErr := app.Run(append([]string{"framegram", "bench"}, args...)); runErr != nil {
		t.Fatalf("%q: %v", args, runErr)
	}
	return plan, err
}

// Each way of udp is run with every repair, each of tcp with every congestion control, in
// the order of the lists.
func TestBenchWays(t *testing.T) {
	for args, want := range map[string]string{
		"": "udp+auto tcp+",
		"--repair none,fec,nack,auto --tcp-congestion cubic,bbr":                         "udp+none udp+fec udp+nack udp+auto tcp+cubic tcp+bbr",
		"--transport tcp,udp --repair auto,none":                                         "tcp+ udp+auto udp+none",
		"--transport udp --repair fec --parity 5%":                                       "udp+fec",
		"--transport tcp --repair nack":                                                  "tcp+",
		"--slices 1,auto --repair none,auto":                                             "udp+none/1 udp+none/auto udp+auto/1 udp+auto/auto tcp+/1 tcp+/auto",
		"--link rate=100mbit,squeeze=20mbit@5s+10s --bitrate 20mbit --transport udp,tcp": "udp+auto tcp+",
		"--connect push,subscribe --repair none,auto":                                    "udp+none udp+none@subscribe udp+auto udp+auto@subscribe tcp+",
		"--connect group --link lan --slices 1,2":                                        "udp+auto@group/1 udp+auto@group/2 tcp+/1 tcp+/2",
		"--connect group --sweep loss=0,1%":                                              "udp+auto@group tcp+",
		"--connect subscribe --sender 10.0.0.1":                                          "udp+auto@subscribe tcp+",
	} {
		plan, err := planOf(t, strings.Fields(args)...)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		var got []string
		for _, w := range plan.Ways {
			name := w.Transport + "+" + w.Repair + w.Congestion
			if w.Connect != "" {
				name += "@" + w.Connect
			}
			if w.Slices != "" {
				name += "/" + w.Slices
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

func TestBenchPassesOn(t *testing.T) {
	plan, err := planOf(t, "--parity", "7%", "--slices", "3", "--bitrate", "auto", "--deadline", "50ms")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(plan.SenderArgs, " ")
	if plan.Parity != "7%" || !strings.Contains(got, "--slices 3") || !strings.Contains(got, "--bitrate auto") || plan.Scenario.Deadline.Milliseconds() != 50 {
		t.Errorf("parity %q, deadline %v, %s", plan.Parity, plan.Scenario.Deadline, got)
	}
}

// What every run would refuse is refused at once.
func TestBenchRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--repair rs":                            `--repair has "rs", want some of none,fec,nack,auto`,
		"--repair auto,":                         `--repair has ""`,
		"--repair auto,auto":                     "udp auto is to be run twice",
		"--tcp-congestion bbr,bbr":               "tcp bbr is to be run twice",
		"--parity 0%":                            "--parity is",
		"--bitrate fast":                         "--bitrate is",
		"--slices 65":                            `--slices has "65"`,
		"--slices 1,":                            `--slices has ""`,
		"--slices 2,auto,2":                      "--slices has 2 twice",
		"--deadline 11s":                         "--deadline is 11s",
		"--connect pull":                         `--connect has "pull", want some of push,subscribe,group`,
		"--connect push,":                        `--connect has ""`,
		"--connect subscribe,subscribe":          "udp auto subscribe is to be run twice",
		"--connect group":                        "--connect group needs --link",
		"--connect push,group --sender 10.0.0.1": "--connect group needs --link",
		"--connect group --receiver":             "--connect group needs --link",
		"--link rate=100mbit,squeeze=20mbit@5":   `"5" at character 29`,
		"--link rate=100mbit,squeeze=2mbit@5+1s": `"5" at character 28`,
	} {
		if _, err := planOf(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
	}
}

// The exit code of the process that did our work is ours, also where it is 0.
func TestExitCodeOfAnotherProcess(t *testing.T) {
	for _, want := range []exitCode{0, 1, 2} {
		var got exitCode
		if err := sorted(want); !errors.As(err, &got) || got != want {
			t.Errorf("of %d came %v", want, err)
		}
	}
}

// A link that begins with a preset goes by what was typed.
func TestBenchNamesItsLink(t *testing.T) {
	for link, want := range map[string]string{
		"wifi": "wifi", "busy-wifi, loss=2%": "busy-wifi,loss=2%", "rate=100mbit": "", "": "",
	} {
		if plan, err := planOf(t, "--link", link); err != nil || plan.LinkName != want {
			t.Errorf("%q: %v, is called %q, want %q", link, err, plan.LinkName, want)
		}
	}
}
