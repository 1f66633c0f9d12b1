package command

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/internal/units"
	"github.com/framegram/framegram/udp"
)

// repairFlags say what both sides do about lost datagrams.
func repairFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "repair", Category: catNetwork, Value: "auto",
			Usage: "udp: what is done about lost datagrams, `auto|fec|nack|none`: fec adds parity, nack sends again what a viewer asks for, auto does each as far as the loss and the round trip call for it"},
	)
}

// parityFlag is the sender's.
func parityFlag() cli.Flag {
	return &cli.StringFlag{Name: "parity", Category: catNetwork, Value: "auto",
		Usage: "udp: parity in each frame, `auto|SHARE`, such as 10%: auto is 10 % with --repair fec, and with --repair auto what the loss calls for; there a SHARE is the least"}
}

// deadlineFlag is the viewer's.
func deadlineFlag() cli.Flag {
	return &cli.DurationFlag{Name: "deadline", Category: catNetwork, DefaultText: "the time between two frames, at least 20ms",
		Usage: "udp: how long after a frame's first datagram its lost ones are still asked for, `DURATION` such as 50ms"}
}

// mostDeadline is how old a picture anybody still wants to be repaired.
const mostDeadline = 10 * time.Second

// repairOut is what the flags ask of a sender.
func repairOut(c *cli.Context, cfg *udp.SenderConfig) (err error) {
	if cfg.Repair, err = parseRepair(c); err != nil {
		return err
	}
	text := c.String("parity")
	if text == "auto" {
		return nil
	}
	if cfg.Parity, err = parseParity(text); err != nil {
		return err
	}
	if cfg.Repair != udp.RepairFEC && cfg.Repair != udp.RepairAuto {
		if typed(c, "parity") {
			return usage("--parity goes with --repair fec or auto, and it is %v", cfg.Repair)
		}
		cfg.Parity = 0
	}
	return nil
}

// repairIn is what they ask of a viewer.
func repairIn(c *cli.Context, cfg *udp.ReceiverConfig) error {
	mode, err := parseRepair(c)
	if err != nil {
		return err
	}
	cfg.Repair = mode == udp.RepairNACK || mode == udp.RepairAuto
	cfg.Deadline = c.Duration("deadline")
	switch {
	case c.IsSet("deadline") && (cfg.Deadline <= 0 || cfg.Deadline > mostDeadline):
		return usage("--deadline is %v, want more than 0 and at most %v", cfg.Deadline, mostDeadline)
	case typed(c, "deadline") && !cfg.Repair:
		return usage("--deadline goes with --repair nack or auto, and it is %v: nothing is asked for", mode)
	}
	return nil
}

func parseRepair(c *cli.Context) (udp.Repair, error) {
	mode, err := udp.ParseRepair(c.String("repair"))
	if err != nil {
		return 0, usage("--repair is %q, want auto, fec, nack or none", c.String("repair"))
	}
	return mode, nil
}

// parseParity reads a percentage as a share over 0.
func parseParity(text string) (float64, error) {
	millionths, err := units.Parse(text, units.Shares)
	if err != nil || millionths <= 0 || millionths > 100e6 {
		return 0, usage("--parity is %q, want auto or more than 0%% and up to 100%%, such as 10%% (and none of it is --repair nack or none)", text)
	}
	return float64(millionths) / 100e6, nil
}
