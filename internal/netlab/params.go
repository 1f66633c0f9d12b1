package netlab

import (
	"fmt"
	"math"
	"time"

	"github.com/framegram/framegram/internal/units"
)

// Params are what a link does to each of its two directions. The zero value is a
// perfect link: as fast as the machine, no delay, no loss.
type Params struct {
	Rate      int64         // bit/s of IP packets, 8 kbit/s..10 Gbit/s; zero means unlimited
	Delay     time.Duration // one way, 0..10 s
	Jitter    time.Duration // 0..Delay: each packet's delay is uniform in Delay ± Jitter, but none overtakes
	Loss      float64       // share of the packets, 0..1
	Burst     float64       // mean number of packets lost in a row, 1..1000; zero and 1 mean that each is lost by itself
	Reorder   float64       // share of the packets held back by Hold, 0..1
	Duplicate float64       // share of the packets that arrive twice, 0..1
	Queue     int           // bytes that may wait for the line, MTU..1 GB; zero means 20 ms of Rate, at least 64 kB
	MTU       int           // of both devices, 1280..65535 bytes; zero means 1500
	Seed      uint64        // of all that is drawn; zero means 1
	Squeeze   Squeeze       // a time with a lower rate
}

// withDefaults fills in what is zero, but for Queue, whose default follows Rate.
func (p Params) withDefaults() Params {
	if p.Burst == 0 {
		p.Burst = 1
	}
	if p.MTU == 0 {
		p.MTU = 1500
	}
	if p.Seed == 0 {
		p.Seed = 1
	}
	return p
}

// queue is the room that p's defaults, filled in, mean. Without a rate nothing waits.
func (p Params) queue() int {
	if p.Queue != 0 || p.Rate == 0 {
		return p.Queue
	}
	return max(int(min(p.Rate/8/50, maxQueue)), 64_000, p.MTU)
}

const maxQueue = 1e9 // bytes

// check returns the key that is wrong in p, whose defaults are filled in, and why.
func (p Params) check() (key string, err error) {
	for _, share := range []struct {
		key   string
		value float64
	}{{"loss", p.Loss}, {"reorder", p.Reorder}, {"duplicate", p.Duplicate}} {
		if !(share.value >= 0 && share.value <= 1) {
			return share.key, fmt.Errorf("is %v%%, want 0..100%%", units.Percent(share.value))
		}
	}
	switch {
	case p.Rate != 0 && (p.Rate < 8_000 || p.Rate > 10e9):
		return "rate", fmt.Errorf("is %d bit/s, want 8kbit..10gbit, or 0 for unlimited", p.Rate)
	case p.Delay < 0 || p.Delay > 10*time.Second:
		return "delay", fmt.Errorf("is %v, want 0..10s", p.Delay)
	case p.Jitter < 0 || p.Jitter > p.Delay:
		return "jitter", fmt.Errorf("is %v, want no more than the delay, %v: no packet arrives before it is sent", p.Jitter, p.Delay)
	case !(p.Burst >= 1 && p.Burst <= 1000):
		return "burst", fmt.Errorf("is %v, want 1..1000 packets", p.Burst)
	case p.MTU < 1280 || p.MTU > 65535:
		return "mtu", fmt.Errorf("is %d, want 1280..65535 bytes (1280 is IPv6's least)", p.MTU)
	case p.Queue != 0 && (p.Queue < p.MTU || p.Queue > maxQueue):
		return "queue", fmt.Errorf("is %d bytes, want at least one packet, %d, and at most 1000MB", p.Queue, p.MTU)
	}
	if err := p.Squeeze.check(p.Rate); err != nil {
		return "squeeze", err
	}
	// Bursts with a single packet between them lose burst/(burst+1) of all.
	if most := p.Burst / (p.Burst + 1); p.Burst > 1 && p.Loss < 1 && p.Loss > most {
		return "burst", fmt.Errorf("is %v: bursts of that length lose at most %v%% of the packets, or all, and loss is %v%%", p.Burst, math.Floor(most*1e4)/100, units.Percent(p.Loss))
	}
	return "", nil
}

// Preset is a link with a name.
type Preset struct {
	Name, Why string
	Params    Params
}

// Presets are the links that have a name, from good to bad. They are typical, not
// measured on one network: each number is what one meets, and Why says of what.
var Presets = []Preset{
	{"lan", "a switch with gigabit cables: nothing is lost, the queue is a port's share of the switch's buffer",
		Params{Rate: 1e9, Delay: 200 * time.Microsecond, Jitter: 50 * time.Microsecond, Queue: 512_000}},
	{"wifi", "a good 5 GHz cell: repeats on the air hide nearly all losses and show as jitter",
		Params{Rate: 200e6, Delay: 2 * time.Millisecond, Jitter: 1500 * time.Microsecond, Loss: 0.001, Burst: 2, Queue: 256_000}},
	{"busy-wifi", "a cell shared with many, or far from its access point: long waits for the air, losses in bursts when repeats run out",
		Params{Rate: 40e6, Delay: 8 * time.Millisecond, Jitter: 6 * time.Millisecond, Loss: 0.01, Burst: 4, Queue: 256_000}},
	{"vpn", "a tunnel (WireGuard's MTU) over a fixed line: longer, narrower, now and then out of order",
		Params{Rate: 50e6, Delay: 15 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.001, Reorder: 0.001, Queue: 256_000, MTU: 1420}},
	{"bad", "a crowded hotel network: all that can go wrong does",
		Params{Rate: 10e6, Delay: 40 * time.Millisecond, Jitter: 15 * time.Millisecond, Loss: 0.05, Burst: 5, Reorder: 0.01, Duplicate: 0.005, Queue: 64_000}},
}
