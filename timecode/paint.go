package timecode

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// Packed is a picture whose pixels lie side by side, three or four bytes each, in
// the order RGB or BGR with alpha, if any, last: a grey pixel is the same in both.
type Packed interface {
	image.Image
	// Pixels returns the memory from the top left pixel on, the bytes from one row
	// to the next, and the bytes of a pixel.
	Pixels() (pix []byte, stride, size int)
}

// Paint paints c across the top of img: a *image.YCbCr, *image.Gray, *image.RGBA,
// [Packed] or (slowly) any other draw.Image. It covers 3/40 of the height, and
// leaves the rest alone. A picture below MinWidth x MinHeight is an ErrTooSmall.
func Paint(img image.Image, c Code) error {
	size := img.Bounds().Size()
	if size.X < MinWidth || size.Y < MinHeight {
		return fmt.Errorf("%w: %dx%d", ErrTooSmall, size.X, size.Y)
	}
	bits := c.bytes()
	if p, ok := planeOf(img); ok {
		if !p.valid() {
			return fmt.Errorf("%w: %T with memory for less than it says", ErrUnsupported, img)
		}
		p.paint(bits)
		if m, ok := img.(*image.YCbCr); ok {
			neutral(m)
		}
		return nil
	}
	m, ok := img.(draw.Image)
	if !ok {
		return fmt.Errorf("%w: %T", ErrUnsupported, img)
	}
	for i := range Columns * Rows {
		r := cell(size, i).Add(img.Bounds().Min)
		draw.Draw(m, r, image.NewUniform(color.Gray{Y: level(bits, i)}), image.Point{}, draw.Src)
	}
	return nil
}

// cell is the rectangle of cell i in a picture of that size.
func cell(size image.Point, i int) image.Rectangle {
	col, row := i%Columns, i/Columns
	return image.Rect(col*size.X/Columns, row*size.Y/Division, (col+1)*size.X/Columns, (row+1)*size.Y/Division)
}

func level(bits [codeLen]byte, i int) uint8 {
	if bits[i/8]>>(7-i%8)&1 == 1 {
		return white
	}
	return black
}

// plane is one sample per pixel in memory: luma, or one byte of a packed pixel.
type plane struct {
	pix    []byte // from the top left pixel on
	stride int    // bytes from one row to the next
	step   int    // bytes from one pixel to the next
	size   image.Point
}

// planeOf finds the samples of img; false for a picture of another kind.
func planeOf(img image.Image) (plane, bool) {
	p := plane{size: img.Bounds().Size()}
	switch m := img.(type) {
	case *image.YCbCr:
		p.pix, p.stride, p.step = m.Y, m.YStride, 1
	case *image.Gray:
		p.pix, p.stride, p.step = m.Pix, m.Stride, 1
	case *image.RGBA:
		p.pix, p.stride, p.step = m.Pix, m.Stride, 4
	case Packed:
		p.pix, p.stride, p.step = m.Pixels()
	}
	return p, p.step == 1 || p.step == 3 || p.step == 4
}

// valid reports whether the memory holds the picture.
func (p plane) valid() bool {
	return p.stride >= p.size.X*p.step && len(p.pix) >= (p.size.Y-1)*p.stride+p.size.X*p.step
}

// paint fills the first line of each row of cells and copies it to the others.
func (p plane) paint(bits [codeLen]byte) {
	for row := range Rows {
		first := cell(p.size, row*Columns)
		line := p.pix[first.Min.Y*p.stride:][:p.size.X*p.step]
		for i := row * Columns; i < (row+1)*Columns; i++ {
			r := cell(p.size, i)
			p.fill(line[r.Min.X*p.step:r.Max.X*p.step], level(bits, i))
		}
		for y := first.Min.Y + 1; y < first.Max.Y; y++ {
			copy(p.pix[y*p.stride:], line)
		}
	}
}

func (p plane) fill(b []byte, v uint8) {
	for i := range b {
		b[i] = v
	}
	if p.step == 4 {
		for i := 3; i < len(b); i += 4 {
			b[i] = 255 // opaque
		}
	}
}

// neutral takes the colour out of the strip.
func neutral(m *image.YCbCr) {
	last := -1
	for y := m.Rect.Min.Y; y < m.Rect.Min.Y+Rows*m.Rect.Dy()/Division; y++ {
		from, to := m.COffset(m.Rect.Min.X, y), m.COffset(m.Rect.Max.X-1, y)
		if from == last {
			continue // the row above has the same chroma
		}
		last = from
		cb, cr := m.Cb[from:to+1], m.Cr[from:to+1]
		for i := range cb {
			cb[i] = 128
		}
		for i := range cr {
			cr[i] = 128
		}
	}
}
