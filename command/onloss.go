package command

import (
	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/conceal"
)

// onLossFlag is the viewer's.
func onLossFlag() cli.Flag {
	return &cli.StringFlag{Name: "on-loss", Category: catNetwork, Value: "drop",
		Usage: "udp: what becomes of a frame of which something is lost for good, `drop|conceal`: conceal takes the lost strips from the frame before (pictures in slices only)"}
}

// onLoss is what the flag asks for; nil is to drop.
func onLoss(c *cli.Context) (*conceal.Filler, error) {
	switch text := c.String("on-loss"); text {
	case "drop":
		return nil, nil
	case "conceal":
		return &conceal.Filler{}, nil
	default:
		return nil, usage("--on-loss is %q, want drop or conceal", text)
	}
}

// jpegHead is how many bytes of a JPEG stand before its first scan's data.
func jpegHead(jpeg []byte) int {
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return 0
	}
	return h.Data
}
