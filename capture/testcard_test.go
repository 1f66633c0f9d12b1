package capture

import (
	"bytes"
	"fmt"
	"image"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/timecode"
)

func TestCardCarriesTimecode(t *testing.T) {
	for _, size := range []image.Point{{192, 160}, {320, 240}, {641, 359}, {720, 1280}, {1280, 720}, {1920, 1080}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mustOpen(t, Config{Size: size, Quality: 50})
				for i, f := range take(t, s, 5) {
					img := decode(t, f.jpeg)
					if img.Rect.Size() != size || f.size != size {
						t.Fatalf("the JPEG is %v, the frame says %v, want %v", img.Rect.Size(), f.size, size)
					}
					code, err := timecode.Read(img)
					if err != nil || code.ID != f.id || int(f.id) != i || !code.Captured.Equal(f.captured.Truncate(time.Microsecond)) {
						t.Errorf("frame %d of %v: read %+v, %v", f.id, f.captured, code, err)
					}
					if size.X < 2*timecode.MinWidth || size.Y < 2*timecode.MinHeight {
						continue
					}
					half := codec.ReuseYCbCr(nil, size.X/2, size.Y/2, img.SubsampleRatio)
					codec.Scale(half, img)
					if again, err := timecode.Read(half); err != nil || again != code {
						t.Errorf("at half the size: read %+v, %v, want %+v", again, err, code)
					}
				}
			})
		})
	}
}

// Every size must be painted without touching what is outside the picture.
func TestCardOfAnySize(t *testing.T) {
	sides := []int{16, 17, 31, 96, 119, 120, 160, 191, 192, 193, 240, 641}
	rates := []float64{0.1, 29.97, 1000}
	for i, w := range sides {
		for j, h := range sides {
			c, err := newCard(image.Pt(w, h), rates[(i+j)%len(rates)])
			if err != nil {
				t.Fatal(err)
			}
			if c.img.Rect != image.Rect(0, 0, w, h) {
				t.Fatalf("%dx%d: the card is %v", w, h, c.img.Rect)
			}
			for _, id := range []uint32{0, 1, 999, 1<<32 - 1} {
				c.paint(id, time.Unix(0, 0)) // panics where a rectangle leaves the picture
			}
			if w < timecode.MinWidth || h < timecode.MinHeight {
				continue
			}
			for y := range timecode.Rows * h / timecode.Division {
				for _, v := range c.img.Y[y*c.img.YStride:][:w] {
					if v != 0 {
						t.Fatalf("%dx%d: line %d belongs to the timecode strip and is painted", w, h, y)
					}
				}
			}
		}
	}
}

// region returns the luma of a part of the card.
func region(c *card, r image.Rectangle) []byte {
	var all []byte
	for y := r.Min.Y; y < r.Max.Y; y++ {
		all = append(all, c.img.Y[y*c.img.YStride:][r.Min.X:r.Max.X]...)
	}
	return all
}

func newTestCard(t testing.TB, w, h int) *card {
	t.Helper()
	c, err := newCard(image.Pt(w, h), 30)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The picture of a frame depends on its number and time alone, not on what was
// painted before it.
func TestCardLeavesNoTraces(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 34, 56, 789e6, time.Local)
	c := newTestCard(t, 640, 360)
	for id := range uint32(200) {
		c.paint(id*id, at.Add(time.Duration(id)*time.Hour))
	}
	fresh := newTestCard(t, 640, 360)
	for _, id := range []uint32{0, 7, 29, 30, 1234567, 1<<32 - 1} {
		c.paint(id, at)
		fresh.paint(id, at)
		if !bytes.Equal(c.img.Y, fresh.img.Y) || !bytes.Equal(c.img.Cb, fresh.img.Cb) || !bytes.Equal(c.img.Cr, fresh.img.Cr) {
			t.Errorf("frame %d shows traces of earlier ones", id)
		}
	}
}

func TestCardShowsFrameAndTime(t *testing.T) {
	c, at := newTestCard(t, 1280, 720), time.Date(2026, 11, 22, 12, 34, 56, 0, time.Local)
	// cells are n cells of g from the place of its first digit on.
	cells := func(g *glyphs, at image.Point, n int) image.Rectangle {
		return image.Rect(0, -g.base, n*g.w, g.h-g.base).Add(at)
	}
	number, clock := cells(c.number, c.at.number, numberDigits), cells(c.clock, c.at.clock, 10)
	parts := map[string]image.Rectangle{"number": number, "clock": clock, "ring": c.at.ring, "track": c.at.track}

	seen := map[string]bool{} // no two frames of a second look the same in any part
	for id := range uint32(30) {
		c.paint(id, at.Add(time.Duration(id)*33*time.Millisecond))
		for name, r := range parts {
			look := name + string(region(c, r))
			if seen[look] {
				t.Errorf("the %s of frame %d looks like that of an earlier one", name, id)
			}
			seen[look] = true
		}
	}

	// Digits lie where they should: the last one of 12345678 is that of 8.
	c.paint(12345678, at)
	last := cells(c.number, c.at.number.Add(image.Pt(7*c.number.w, 0)), 1)
	if !bytes.Equal(region(c, last), c.number.cells['8']) {
		t.Error("the last digit of 12345678 is no 8")
	}
	x := c.at.clock.X
	for _, ch := range []byte("12:34:56.000") {
		g := c.clock
		if ch == ':' || ch == '.' {
			g = c.marks
		}
		if !bytes.Equal(region(c, cells(g, image.Pt(x, c.at.clock.Y), 1)), g.cells[ch]) {
			t.Errorf("the clock has no %c at %d", ch, x)
		}
		x += g.w
	}
	for name, g := range map[string]*glyphs{"number": c.number, "zeros": c.zeros, "clock": c.clock, "marks": c.marks, "count": c.count} {
		for ch, cell := range g.cells {
			if bytes.Count(cell, []byte{panelLuma}) == len(cell) {
				t.Errorf("%s: the glyph of %c is empty", name, ch)
			}
			for x := range g.w { // round digits reach over the line; none may be cut
				if cell[x] != panelLuma || cell[len(cell)-g.w+x] != panelLuma {
					t.Errorf("%s: %c is cut off", name, ch)
					break
				}
			}
		}
	}
}

// A viewer sees a dropped frame as a jump of the bar, so each step must be the same.
func TestCardBarMovesEvenly(t *testing.T) {
	for _, fps := range []float64{1, 24, 30, 60, 144, 1000} {
		c, err := newCard(image.Pt(1280, 720), fps)
		if err != nil {
			t.Fatal(err)
		}
		last := -1
		for id := range uint32(c.at.ticks) {
			c.paint(id, time.Unix(0, 0))
			row := c.img.Y[c.at.track.Min.Y*c.img.YStride:][:1280]
			x := bytes.IndexByte(row, barLuma)
			if last >= 0 && x != last+c.at.tick {
				t.Fatalf("%v fps: frame %d has the bar at %d, the one before at %d, a tick is %d", fps, id, x, last, c.at.tick)
			}
			last = x
		}
	}
}

func TestTestCardIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, Config{Size: image.Pt(64, 48), FPS: 25})
		start := time.Now()
		for i, f := range take(t, s, 50) {
			if want := time.Duration(i) * 40 * time.Millisecond; f.captured.Sub(start) != want || f.id != uint32(i) {
				t.Errorf("frame %d came at %v, want frame %d at %v", f.id, f.captured.Sub(start), i, want)
			}
		}
		time.Sleep(time.Second) // the consumer is away
		if f := take(t, s, 1)[0]; f.id != 74 {
			t.Errorf("after a second away: frame %d, want 74", f.id)
		}
		if got := stats(s); got != (Stats{Pictures: 75, Late: 24}) {
			t.Errorf("got %+v", got)
		}
		if got, want := info(s), (Info{Name: "test card", Size: image.Pt(64, 48), FPS: 25}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestZeroConfigIsTheTestCard(t *testing.T) {
	s := mustOpen(t, Config{})
	if got, want := info(s), (Info{Name: "test card", Size: image.Pt(1280, 720), FPS: 30}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	f := take(t, s, 1)[0]
	if h, err := codec.ParseHeader(f.jpeg); err != nil || h.Width != 1280 || h.Height != 720 {
		t.Errorf("got %+v, %v", h, err)
	}
}
