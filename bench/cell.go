package bench

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/framegram/framegram/internal/units"
)

// Cell is one place of the matrix: what is sent, over which link.
type Cell struct {
	Picture Picture `json:"picture"`
	Rate    int64   `json:"rate_bit_s"`
	Queue   Queue   `json:"queue"`
	Loss    float64 `json:"loss"` // share of the packets, 0..1
}

// Cells are all combinations, a picture after the other.
func Cells(pictures []Picture, rates []int64, queues []Queue, losses []float64) (all []Cell) {
	for _, picture := range pictures {
		for _, rate := range rates {
			for _, queue := range queues {
				for _, loss := range losses {
					all = append(all, Cell{picture, rate, queue, loss})
				}
			}
		}
	}
	return all
}

func (c Cell) String() string {
	return fmt.Sprintf("%v, %s, queue %v, loss %s", c.Picture, c.rate(), c.Queue, c.loss())
}

func (c Cell) rate() string { return units.Format(c.Rate, units.Rates) }
func (c Cell) loss() string { return units.FormatNumber(units.Percent(c.Loss)) + "%" }

// Picture is the size and the frame rate of what is sent.
type Picture struct {
	Width, Height int
	FPS           float64
}

// ParsePicture reads WxH@FPS. The error reads on from the text.
func ParsePicture(text string) (p Picture, err error) {
	bad := errors.New("want WxH@FPS such as 1280x720@30")
	size, fps, ok := strings.Cut(strings.ToLower(text), "@")
	w, h, okSize := strings.Cut(size, "x")
	if !ok || !okSize {
		return p, bad
	}
	width, errW := units.ParseWhole(w)
	height, errH := units.ParseWhole(h)
	rate, errR := units.ParseNumber(fps)
	if errors.Join(errW, errH, errR) != nil {
		return p, bad
	}
	if width < leastSide || width > mostSide || height < leastSide || height > mostSide {
		return p, fmt.Errorf("a side is %d..%d pixels", leastSide, mostSide)
	}
	if !(rate > 0 && rate <= 1000) {
		return p, errors.New("the frame rate is more than 0 and at most 1000")
	}
	return Picture{int(width), int(height), rate}, nil
}

// The sides of a picture that both ends take.
const (
	leastSide = 16
	mostSide  = 8192
)

func (p Picture) String() string {
	return fmt.Sprintf("%dx%d@%s", p.Width, p.Height, strconv.FormatFloat(p.FPS, 'f', -1, 64))
}

// MarshalText implements [encoding.TextMarshaler].
func (p Picture) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Weight is what a run with this picture costs the processor. Two cores carry MachineWeight
// of it at a time: one run of 2160p30, or two of 1080p60, or several of small pictures.
func (p Picture) Weight() int {
	return max(1, int(math.Ceil(float64(p.Width)*float64(p.Height)*p.FPS/pixelsOfOne)))
}

const (
	// weightOfTwoCores is the weight of 3840x2160@30.
	weightOfTwoCores = 6
	pixelsOfOne      = 3840 * 2160 * 30 / weightOfTwoCores // a second
)

// MachineWeight is the weight of the runs that may go on at a time on so many cores.
func MachineWeight(cores int) int { return max(1, cores*weightOfTwoCores/2) }

// Queue is the room before a link's line: a number of bytes, or as many as the line sends
// in a time.
type Queue struct {
	Bytes int
	Time  time.Duration
}

// ParseQueue reads a size such as 64kB or a time such as 20ms. The error reads on from
// the text.
func ParseQueue(text string) (q Queue, err error) {
	if n, err := units.Parse(text, units.Sizes); err == nil && n > 0 && n <= mostQueue {
		return Queue{Bytes: int(n)}, nil
	}
	if n, err := units.Parse(text, units.Times); err == nil && n > 0 && n <= int64(10*time.Second) {
		return Queue{Time: time.Duration(n)}, nil
	}
	return q, errors.New("want a size such as 64kB, at most 1000MB, or a time such as 20ms, at most 10s")
}

const mostQueue = 1e9 // bytes, of a link of netlab's

// Of is the room in bytes on a link of this rate in bit/s. It is never less than one packet
// of the MTU.
func (q Queue) Of(rate int64, mtu int) int {
	if q.Time == 0 {
		return max(q.Bytes, mtu)
	}
	return max(mtu, int(min(float64(rate)/8*q.Time.Seconds(), mostQueue)))
}

func (q Queue) String() string {
	if q.Time == 0 {
		return units.Format(int64(q.Bytes), units.Sizes)
	}
	return units.Format(int64(q.Time), units.Times)
}

// MarshalText implements [encoding.TextMarshaler].
func (q Queue) MarshalText() ([]byte, error) { return []byte(q.String()), nil }
