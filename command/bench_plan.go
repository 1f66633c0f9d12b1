package command

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/internal/netlab"
	"github.com/framegram/framegram/trial"
)

// benchPlan is what the flags ask for.
func benchPlan(c *cli.Context) (*trial.Plan, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	size, err := parseSize(c.String("size"))
	if err != nil {
		return nil, err
	}
	plan := &trial.Plan{
		Program: program, Repeat: c.Int("repeat"),
		Scenario: bench.Scenario{
			Width: size.X, Height: size.Y, FPS: c.Float64("fps"), Quality: c.Int("quality"), Source: c.String("source"),
			Length: bench.Duration{Duration: c.Duration("duration")}, Warmup: bench.Duration{Duration: c.Duration("warmup")},
			Deadline: bench.Duration{Duration: c.Duration("deadline")},
		},
	}
	switch s := &plan.Scenario; {
	case s.Source == "test" && !c.IsSet("quality"):
		s.Quality = codec.DefaultQuality
	case s.Source != "test":
		plan.SenderArgs = append(plan.SenderArgs, "--loop")
		if !c.IsSet("size") { // JPEGs as they are
			s.Width, s.Height = 0, 0
		}
	}
	switch s := plan.Scenario; {
	case plan.Repeat < 1 || plan.Repeat > 100:
		return nil, usage("--repeat is %d, want 1..100", plan.Repeat)
	case !(s.FPS > 0 && s.FPS <= 1000):
		return nil, usage("--fps is %v, want more than 0 and at most 1000", s.FPS)
	case s.Length.Duration < time.Second || s.Length.Duration > time.Hour:
		return nil, usage("--duration is %v, want 1s..1h", s.Length)
	case s.Warmup.Duration < 0 || s.Warmup.Duration > time.Minute:
		return nil, usage("--warmup is %v, want 0s..1m", s.Warmup)
	case s.Deadline.Duration < 0 || s.Deadline.Duration > mostDeadline:
		return nil, usage("--deadline is %v, want 0s..%v", s.Deadline, mostDeadline)
	case c.IsSet("quality") && (s.Quality < 1 || s.Quality > 100):
		return nil, usage("--quality is %d, want 1..100", s.Quality)
	case c.Bool("receiver") && c.String("sender") != "":
		return nil, usage("--receiver and --sender are the two ends of one bench: give one on each machine, --receiver where the viewer is to be")
	case c.Bool("traces") && c.String("json") == "":
		return nil, usage("--traces goes with --json")
	}
	plan.Ways, err = ways(c.String("transport"), c.String("tcp-congestion"), c.String("repair"), c.String("connect"))
	if err != nil {
		return nil, err
	}
	if err := benchConnect(c, plan); err != nil {
		return nil, err
	}
	if err := benchRepair(c, plan); err != nil {
		return nil, err
	}
	if d := c.Duration("fault-slow-decoder"); d > 0 {
		plan.ViewerArgs = []string{"--fault-slow-decoder", d.String()}
	}
	if n := c.Int("fault-queue"); n > 0 {
		plan.SenderArgs = append(plan.SenderArgs, "--fault-queue", strconv.Itoa(n))
	}
	if (c.Bool("receiver") || c.String("sender") != "") && (c.String("link") != "" || c.String("sweep") != "") {
		return nil, usage("--link and --sweep emulate a link on this machine; --sender and --receiver measure the one between two")
	}
	return plan, benchLink(c, plan)
}

// benchConnect refuses a way to connect that cannot be had. A group is for emulated links
// only: its datagrams would go to every network that this machine is part of.
func benchConnect(c *cli.Context, plan *trial.Plan) error {
	udp := func(w trial.Way) bool { return w.Transport == "udp" }
	group := func(w trial.Way) bool { return w.Connect == trial.Group }
	emulated := c.String("link") != "" || c.String("sweep") != ""
	switch {
	case typed(c, "connect") && !slices.ContainsFunc(plan.Ways, udp):
		return usage("--connect goes with udp: a viewer of tcp is always connected to")
	case !emulated && slices.ContainsFunc(plan.Ways, group):
		return usage("--connect group needs --link: what is sent to a group would leave this machine, " +
			"and an emulated link keeps it in")
	}
	return nil
}

// benchLink reads --link and --sweep.
func benchLink(c *cli.Context, plan *trial.Plan) error {
	if text := c.String("link"); text != "" {
		p, err := netlab.Parse(text)
		if err != nil {
			return usage("--link: %w", err)
		}
		plan.Link = &p
		if name, _, _ := strings.Cut(text, ","); slices.ContainsFunc(netlab.Presets, func(p netlab.Preset) bool { return p.Name == strings.TrimSpace(name) }) {
			plan.LinkName = strings.Join(list(text), ",")
		}
	}
	if text := c.String("sweep"); text != "" {
		sweep, err := netlab.ParseSweep(text)
		if err != nil {
			return usage("--sweep: %w", err)
		}
		var base netlab.Params
		if plan.Link != nil {
			base = *plan.Link
		}
		if _, err := sweep.Over(base); err != nil {
			return usage("--sweep: %w", err)
		}
		plan.Sweep = &sweep
	}
	return nil
}

// benchRepair reads what else ways are run with, and refuses here what every run would.
func benchRepair(c *cli.Context, plan *trial.Plan) error {
	if text := c.String("parity"); text != "" && text != "auto" {
		if _, err := parseParity(text); err != nil {
			return err
		}
		if plan.Parity = text; typed(c, "parity") && !slices.ContainsFunc(plan.Ways, trial.Way.HasParity) {
			return usage("--parity goes with udp and --repair fec or auto")
		}
	}
	if _, _, err := parseBitrate(c.String("bitrate")); err != nil {
		return err
	}
	plan.SenderArgs = append(plan.SenderArgs, "--bitrate", c.String("bitrate"))
	return benchSlices(c.String("slices"), plan)
}

// benchSlices reads --slices. One is an argument of all senders; of several every way is
// run with each.
func benchSlices(text string, plan *trial.Plan) error {
	if text == "" {
		return nil
	}
	all := list(text)
	for i, one := range all {
		if n, err := strconv.Atoi(one); one != "auto" && (err != nil || n < 1 || n > 64) {
			return usage("--slices has %q, want some of auto and 1..64", one)
		}
		if slices.Contains(all[:i], one) {
			return usage("--slices has %s twice: each of a list once, and --repeat says how often", one)
		}
	}
	if len(all) == 1 {
		plan.SenderArgs = append(plan.SenderArgs, "--slices", all[0])
		return nil
	}
	var ways []trial.Way
	for _, way := range plan.Ways {
		for _, way.Slices = range all {
			ways = append(ways, way)
		}
	}
	plan.Ways = ways
	return nil
}

// ways are the transports to compare: tcp with each congestion control, udp with each
// repair and each way to connect.
func ways(transports, congestions, repairs, connects string) (all []trial.Way, err error) {
	for _, transport := range list(transports) {
		if err := checkTransport(transport); err != nil {
			return nil, err
		}
		switch {
		case transport == "udp":
			for _, name := range list(repairs) {
				if !slices.Contains(trial.Repairs, name) {
					return nil, usage("--repair has %q, want some of %s", name, strings.Join(trial.Repairs, ","))
				}
				for _, connect := range list(connects) {
					if !slices.Contains(trial.Connects, connect) {
						return nil, usage("--connect has %q, want some of %s", connect, strings.Join(trial.Connects, ","))
					}
					if connect == trial.Connects[0] {
						connect = ""
					}
					all = append(all, trial.Way{Transport: transport, Repair: name, Connect: connect})
				}
			}
		case congestions == "":
			all = append(all, trial.Way{Transport: transport})
		default:
			for _, name := range list(congestions) {
				all = append(all, trial.Way{Transport: transport, Congestion: name})
			}
		}
	}
	for i, w := range all {
		if slices.Contains(all[:i], w) {
			return nil, usage("%s is to be run twice: each of a list once, and --repeat says how often", w)
		}
	}
	return all, nil
}

// list is what stands between commas.
func list(text string) []string {
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}
