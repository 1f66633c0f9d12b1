package pace

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framegram/framegram/internal/units"
)

// Settings other than a rate.
const (
	Auto int64 = 0
	Off  int64 = -1
)

const (
	// Chunk is how many datagrams leave at once at most. Switches and cards hold that many
	// in any case.
	Chunk = 8
	// MostSpread is how long an interface's pace spreads a frame at most, unless a rate was asked for.
	MostSpread = 50 * time.Millisecond
	// leastRate is the lowest that can be asked for, in bit/s: at less, one datagram takes longer
	// than a frame may.
	leastRate = 256_000
	// linkUnknown is taken for the speed of a link that does not tell it, in bit/s.
	linkUnknown = 1_000_000_000
)

// Parse reads auto, off or a rate such as 80mbit, in either case, as a setting. The error
// reads on from the text.
func Parse(text string) (int64, error) {
	switch strings.ToLower(text) {
	case "auto":
		return Auto, nil
	case "off":
		return Off, nil
	}
	rate, err := units.Parse(text, units.Rates)
	switch {
	case err != nil:
		return 0, errors.New("want auto, off or bits a second such as 80mbit (kbit, mbit, gbit)")
	case rate < leastRate:
		return 0, fmt.Errorf("want %s or more: at less a single datagram takes too long", Rate(leastRate))
	}
	return rate, nil
}

// Rate is a rate in bit/s for people, as Parse reads it.
func Rate(bits int64) string { return units.Format(bits, units.Rates) }

// Limit is the rate in bit/s that a setting means for an interface whose link has that
// speed (0 = not known); 0 is no limit. Auto leaves a fifth of the link to others, and does not hold up
// what stays on this machine.
func Limit(setting, link int64, loopback bool) int64 {
	switch {
	case setting > 0:
		return setting
	case setting == Off || loopback:
		return 0
	case link == 0:
		link = linkUnknown
	}
	return link / 5 * 4
}
