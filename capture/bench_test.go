package capture

import (
	"fmt"
	"image"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

var benchSizes = []image.Point{{1280, 720}, {1920, 1080}}

// What the test card costs a frame besides encoding.
func BenchmarkCardPaint(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			c, err := newCard(size, 60)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			id, now := uint32(0), time.Now()
			for b.Loop() {
				id++
				now = now.Add(time.Second / 60)
				c.paint(id, now)
				if err := timecode.Paint(c.img, timecode.Code{ID: id, Captured: now}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkNext(b *testing.B, s stream.Source) {
	defer s.Close()
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		f, err := s.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		bytes += len(f.JPEG)
		f.Release()
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "B/frame")
}

// From the schedule to the JPEG.
func BenchmarkCardEncode(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			s, err := openTestCard(Config{Size: size, FPS: 60})
			if err != nil {
				b.Fatal(err)
			}
			s.(*encoder).pictures.(*testCard).pace.fps = 1e9 // always due
			benchmarkNext(b, s)
		})
	}
}

// What a JPEG that is passed on costs.
func BenchmarkImages(b *testing.B) {
	dir := b.TempDir()
	for i, jpeg := range greys(b, 10, 1280, 720) {
		writeFile(b, dir, fmt.Sprint(i, ".jpg"), append(jpeg, make([]byte, 60000)...))
	}
	s, err := Open(b.Context(), Config{Source: "images:" + dir, Loop: true})
	if err != nil {
		b.Fatal(err)
	}
	set := s.(*jpegs)
	set.Close()
	set.info.FPS = 1e9 // always due
	set.start(0)
	benchmarkNext(b, s)
}

func BenchmarkRangeTable(b *testing.B) {
	img := plain(1920, 1080, image.YCbCrSubsampleRatio420, 100, 120, 130)
	for i := range img.Y {
		img.Y[i] = byte(60 + i%97)
	}
	table := newRangeTable(16, 235)
	b.SetBytes(int64(len(img.Y)))
	for b.Loop() {
		table.apply(img.Y)
	}
}
