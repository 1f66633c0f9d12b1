//go:build cgo && !nocv

package display

import (
	"fmt"
	"image"
	"image/color"
	"time"

	"gocv.io/x/gocv"

	"github.com/framegram/framegram/codec"
)

// canvas is what stands in the window: a picture of exactly the window's size, with
// the stream's picture in its middle, as large as its proportions allow, and labels
// over it.
type canvas struct {
	mat    gocv.Mat
	bgr    codec.BGR // mat's memory
	halved [2]gocv.Mat
	labels [labelCount]label
}

// Where labels stand.
const (
	topLeft = iota
	topRight
	bottomLeft
	middle
	banner // in the middle, too, and larger
	labelCount
)

// waitingGround is what fills the window until the first picture comes.
var waitingGround = color.RGBA{R: 11, G: 13, B: 16}

func newCanvas() canvas {
	return canvas{mat: gocv.NewMat(), halved: [2]gocv.Mat{gocv.NewMat(), gocv.NewMat()}}
}

func (c *canvas) close() {
	c.mat.Close()
	c.halved[0].Close()
	c.halved[1].Close()
}

// resize makes the canvas as large as the window.
func (c *canvas) resize(size image.Point) error {
	if size == c.bgr.Rect.Size() {
		return nil
	}
	mat, pix, err := newMat(size)
	if err != nil {
		return err
	}
	c.mat.Close()
	c.mat, c.bgr = mat, codec.BGR{Pix: pix, Stride: 3 * size.X, Rect: image.Rectangle{Max: size}}
	return nil
}

// newMat returns a picture of the given size, and its memory.
func newMat(size image.Point) (gocv.Mat, []byte, error) {
	mat := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC3)
	pix, err := mat.DataPtrUint8()
	if err != nil {
		mat.Close()
		return mat, nil, fmt.Errorf("display: a picture of %v pixels: %w", size, err)
	}
	return mat, pix, nil
}

// fill makes everything one colour.
func (c *canvas) fill(to color.RGBA) {
	if to == (color.RGBA{}) {
		clear(c.bgr.Pix)
		return
	}
	for p := c.bgr.Pix; len(p) >= 3; p = p[3:] {
		p[0], p[1], p[2] = to.B, to.G, to.R
	}
}

// place puts picture into the middle, with black beside or above and below it.
func (c *canvas) place(picture gocv.Mat) {
	r := letterbox(image.Pt(picture.Cols(), picture.Rows()), c.bgr.Rect)
	if r != c.bgr.Rect {
		c.fill(color.RGBA{})
	}
	to := c.mat.Region(r)
	defer to.Close()
	// Interpolation looks at the four nearest pixels only, so what is to become less
	// than half as large is halved first, which takes the mean of four: a third to a
	// tenth of the time of gocv.InterpolationArea.
	for i := 0; picture.Cols() >= 2*r.Dx() && picture.Rows() >= 2*r.Dy(); i ^= 1 {
		half := image.Pt(picture.Cols()/2, picture.Rows()/2)
		gocv.Resize(picture, &c.halved[i], half, 0, 0, gocv.InterpolationLinear)
		picture = c.halved[i]
	}
	gocv.Resize(picture, &to, r.Size(), 0, 0, gocv.InterpolationLinear)
}

// letterbox is the largest rectangle of the proportions of size in the middle of
// bound.
func letterbox(size image.Point, bound image.Rectangle) image.Rectangle {
	room := bound.Size()
	to := image.Pt(room.X, max(1, (room.X*size.Y+size.X/2)/size.X))
	if to.Y > room.Y {
		to = image.Pt(min(room.X, max(1, (room.Y*size.X+size.Y/2)/size.Y)), room.Y)
	}
	at := bound.Min.Add(room.Sub(to).Div(2))
	return image.Rectangle{at, at.Add(to)}
}

// dim leaves a third of the light, so that nobody takes the picture for live.
func (c *canvas) dim() {
	for i, v := range c.bgr.Pix {
		c.bgr.Pix[i] = uint8(uint32(v) * 85 >> 8)
	}
}

// write lays the texts over the canvas; an empty one is none.
func (c *canvas) write(texts [labelCount]string) error {
	size := c.bgr.Rect.Size()
	margin := max(2, size.Y/60)
	bound := size.Sub(image.Pt(2*margin, 2*margin))
	if bound.X < minLabel || bound.Y < minLabel {
		return nil
	}
	for where, text := range texts {
		if text == "" {
			continue
		}
		l, em := &c.labels[where], textSize(size.Y)
		if where == banner {
			em = em * 3 / 2
		}
		if err := l.set(text, em, bound); err != nil {
			return fmt.Errorf("display: text over the picture: %w", err)
		}
		free := bound.Sub(l.box.Rect.Size())
		at := image.Pt(margin, margin)
		switch where {
		case topRight:
			at.X += free.X
		case bottomLeft:
			at.Y += free.Y
		case middle, banner:
			at = at.Add(free.Div(2))
		}
		blend(&c.bgr, at, l.box)
	}
	return nil
}

// minLabel is the least width and height, in pixels, of a window with text in it.
const minLabel = 24

// textSize is the size of text on a picture of the given height, both in pixels.
func textSize(height int) int { return min(max(height/40, 10+height/120), 48) }

// ago is a time without a picture, for people.
func ago(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
