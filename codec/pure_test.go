//go:build !cgo || noturbo

package codec

import (
	"image"
	"image/color"
	"testing"
)

const pure = true

func TestBackend(t *testing.T) {
	if got := Backend(); got != "Go image/jpeg" {
		t.Errorf("%q", got)
	}
}

// TestRowToBGR compares with color.YCbCrToRGB: every luma with every Cr, and with
// every Cb.
func TestRowToBGR(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 256, 256), image.YCbCrSubsampleRatio444)
	row := make([]byte, 3*256)
	for y := range 256 {
		for x := range 256 {
			m.Y[y*256+x], m.Cb[y*256+x], m.Cr[y*256+x] = byte(x), byte(y), byte(x*5-y*3)
		}
		for range 2 { // and with Cb and Cr exchanged
			m.Cb, m.Cr = m.Cr, m.Cb
			rowToBGR(row, m, y)
			for x := range 256 {
				c := m.YCbCrAt(x, y)
				r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				if got := [3]byte(row[3*x:]); got != [3]byte{b, g, r} {
					t.Fatalf("%v: got %v, want %d,%d,%d", c, got, b, g, r)
				}
			}
		}
	}
}
