package timecode

import (
	"image"
	"image/color"
)

// minContrast is how far the sync word's white cells lie above its black ones, in
// levels of luma: 219 as painted, less where a camera films a screen.
const minContrast = 32

// maxSamples bounds the pixels looked at in a cell, each way: as many as tell black
// from white through a codec's noise, however large the picture.
const maxSamples = 8

// Read reads the code from any picture, of any size; slowly from a kind that it does
// not know (see Paint). The picture may have been encoded and scaled since it was
// painted. The error is ErrNoCode or ErrChecksum.
func Read(img image.Image) (Code, error) {
	size := img.Bounds().Size()
	// Below 2x2 pixels a cell has no inside.
	if size.X < 2*Columns || size.Y < 2*Division {
		return Code{}, ErrNoCode
	}
	var cells [Columns * Rows]int
	if p, ok := planeOf(img); !ok {
		for i := range cells {
			cells[i] = mean(cell(size, i), grayOf(img))
		}
	} else if p.valid() {
		for i := range cells {
			cells[i] = mean(cell(size, i), p.at)
		}
	}
	threshold, ok := split(cells[:16])
	if !ok {
		return Code{}, ErrNoCode
	}
	var b [codeLen]byte
	for i, v := range cells {
		if v > threshold {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return parse(b)
}

// split returns the level half-way between the black and the white cells of the
// sync word.
func split(cells []int) (threshold int, ok bool) {
	white, black := 255, 0 // the darkest, the brightest
	for i, v := range cells {
		if sync<<i&0x8000 != 0 {
			white = min(white, v)
		} else {
			black = max(black, v)
		}
	}
	return (white + black) / 2, white-black >= minContrast
}

// mean is the mean over the middle half of r, across and down: its edges are blurred
// by the codec and by scaling.
func mean(r image.Rectangle, at func(x, y int) uint8) int {
	dx, dy := r.Dx()/4, r.Dy()/4
	r = image.Rect(r.Min.X+dx, r.Min.Y+dy, r.Max.X-dx, r.Max.Y-dy)
	nx, ny := min(r.Dx(), maxSamples), min(r.Dy(), maxSamples)
	sum := 0
	for j := range ny {
		y := r.Min.Y + (2*j+1)*r.Dy()/(2*ny)
		for i := range nx {
			sum += int(at(r.Min.X+(2*i+1)*r.Dx()/(2*nx), y))
		}
	}
	return sum / max(nx*ny, 1)
}

// at is the sample at (x, y), counted from the top left: of a packed pixel green,
// which is the second byte in RGB and in BGR.
func (p plane) at(x, y int) uint8 {
	return p.pix[y*p.stride+x*p.step+min(p.step-1, 1)]
}

// grayOf reads a picture whose memory cannot be reached.
func grayOf(img image.Image) func(x, y int) uint8 {
	b := img.Bounds()
	return func(x, y int) uint8 {
		return color.GrayModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
	}
}
