package netlab

import "testing"

// What the link carries when nothing is asked of it but to carry, and with a delay, for
// which every packet is kept.
func BenchmarkTCP(b *testing.B) {
	for _, link := range []string{"", "delay=1ms", "rate=1gbit,delay=1ms"} {
		b.Run(link, func(b *testing.B) {
			l := openLink(b, link)
			const n = 64 << 20
			b.SetBytes(n)
			for b.Loop() {
				copyTCP(b, l, n)
			}
			c := l.Stats().AB
			b.ReportMetric(float64(c.Bytes)*8/1e6/b.Elapsed().Seconds(), "Mbit/s")
			b.ReportMetric(float64(c.Missed), "missed")
		})
	}
}
