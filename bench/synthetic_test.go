package bench

import (
	"math"
	"math/rand/v2"
	"time"
)

// Traces as the two transports leave them behind, from a seed: 720p30 over 5 ms.

const epoch = int64(1_790_000_000_000_000) // µs

func ms(v float64) int64 { return int64(math.Round(v * 1e3)) }

func scenario(length time.Duration) Scenario {
	return Scenario{Width: 1280, Height: 720, FPS: 30, Quality: 80, Source: "testcard", Length: Duration{length}, Warmup: Duration{time.Second}}
}

// synthetic makes a run over a link that loses the given share of its packets.
func synthetic(transport, congestion, link string, sweep Sweep, loss float64, repeat int, length time.Duration) Run {
	seed := rand.New(rand.NewPCG(uint64(repeat)*7919+uint64(len(congestion)), uint64(loss*1e6)))
	r := Run{
		Point:  Point{Transport: transport, Congestion: congestion, Link: link, Sweep: sweep, Scenario: scenario(length)},
		Repeat: repeat, Began: epoch,
	}
	const packets = 48
	n := int(r.Scenario.FPS * (length + 2*time.Second).Seconds())
	lose := func(end *End, reason string) {
		if end.Lost == nil {
			end.Lost = map[string]uint64{}
		}
		end.Lost[reason]++
	}
	var stuck int64 // tcp delivers nothing before
	for i := range n {
		captured := epoch + int64(float64(i)*1e6/30) + seed.Int64N(400)
		bytes := 60_000 + seed.IntN(9000)
		encoded := captured + ms(1.5+.4*seed.Float64())
		sent := encoded + ms(.2+.15*seed.Float64())
		if transport == "udp" {
			sent = encoded + ms(2.2+.2*seed.Float64()) // paced
		}
		r.Sent = append(r.Sent, SentFrame{captured, encoded, sent, bytes, 0})
		r.Sender.Whole++
		r.Sender.Payload += uint64(bytes)
		r.Sender.Wire += uint64(float64(bytes) * 1.056)
		first := encoded + ms(5.1+.3*seed.Float64())
		complete := first + ms(5.4+.8*seed.ExpFloat64()*.3)
		lost := 0
		for range packets {
			if seed.Float64() < loss {
				lost++
			}
		}
		if transport == "udp" {
			if lost > 0 {
				lose(&r.Viewer, "incomplete")
				continue
			}
		} else {
			recovery := 11.0
			if congestion == "bbr" {
				recovery = 10.5
			}
			for range lost {
				complete += ms(recovery + seed.ExpFloat64()*3)
			}
			if lost > 1 && seed.Float64() < loss*6 {
				complete += ms(200 + 220*seed.ExpFloat64()) // retransmission timeout
			}
			complete = max(complete, stuck+ms(1.5))
			stuck = complete
			if complete > captured+ms(150) && seed.Float64() < .7 {
				lose(&r.Sender, "left out for a slow viewer")
				continue
			}
		}
		decoded := complete + ms(1.4+.5*seed.Float64())
		if transport == "tcp" {
			first = min(first, complete)
		}
		r.Viewer.Whole++
		r.Shown = append(r.Shown, ShownFrame{captured, first, complete, decoded, bytes, 0})
	}
	wall := length + 2*time.Second
	busy := func(cores float64) Duration {
		return Duration{time.Duration(float64(wall) * cores * (1 + .06*seed.Float64()))}
	}
	r.Sender.Wall, r.Viewer.Wall = Duration{wall}, Duration{wall}
	r.Sender.CPU, r.Viewer.CPU = busy(.07), busy(.075)
	if transport == "tcp" {
		r.Sender.CPU, r.Viewer.CPU = busy(.062), busy(.071)
	}
	r.Sender.Peak, r.Viewer.Peak = 61<<20, 48<<20
	return r
}

var losses = []struct {
	text string
	is   float64
}{{"0", 0}, {"0.1%", .001}, {"0.5%", .005}, {"1%", .01}, {"2%", .02}, {"5%", .05}}

func meta() Meta {
	return Meta{
		Time:    time.Date(2026, 11, 22, 18, 4, 0, 0, time.UTC),
		Machine: Machine{CPU: "AMD EPYC 7B13", Cores: 2, OS: "Debian GNU/Linux 12, linux/amd64", Kernel: "Linux 6.18.0"},
		Version: "v0.5.0", Go: "go1.26.0", Seed: 1,
		Command: `framegram bench --link "rate=100mbit,delay=5ms" --sweep loss=0,0.1%,0.5%,1%,2%,5% --repeat 3 --tcp-congestion cubic,bbr`,
	}
}

// sweepReport is a sweep of the loss with both transports.
func sweepReport(repeats int, length time.Duration, congestions ...string) *Report {
	r := &Report{Meta: meta()}
	for _, l := range losses {
		for repeat := range repeats {
			link, sweep := "rate=100mbit,delay=5ms,loss="+l.text, Sweep{"loss", l.text}
			r.Add(synthetic("udp", "", link, sweep, l.is, repeat+1, length))
			for _, cc := range congestions {
				r.Add(synthetic("tcp", cc, link, sweep, l.is, repeat+1, length))
			}
		}
	}
	return r
}
