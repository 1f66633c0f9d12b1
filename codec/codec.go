// Package codec turns pictures into JPEG and back, and reads, mends and cuts JPEG
// streams without decoding them.
//
// Built with cgo it calls libjpeg-turbo through the TurboJPEG API; built without
// (CGO_ENABLED=0, or the tag noturbo) it uses image/jpeg, which is several times
// slower and writes only 4:2:0 and grey. [Backend] says which one is in. Both obey
// the same rules:
//
//   - A picture is read from, and written to, the caller's rows: a sub-image is a
//     view of some rows of a larger picture, and no more than that is touched.
//   - A torn picture is never passed off as whole: a JPEG that ends early or does
//     not decode cleanly is an ErrFormat, and dst is then undefined.
//   - The size in the header is checked against [MaxPixels] before anything is
//     decoded or allocated for it.
//   - Pictures are full-range YCbCr as JFIF 1.02 defines it (BT.601 weights, luma
//     0..255), 8 bits a sample.
//
// A picture can be written in slices ([EncoderConfig].Slices): strips between restart
// markers, which are encoded and decoded at the same time and are still one ordinary
// JPEG. [Strips] finds them in any JPEG that has some, and replaces lost ones.
//
// An [Encoder] or [Decoder] keeps native memory and scratch buffers from call to
// call and serves one goroutine at a time.
package codec

import (
	"errors"
	"fmt"
)

// MaxPixels bounds width times height of a picture, in pixels: 64 Mi, a little
// more than 8K UHD twice over.
const MaxPixels = 1 << 26

// MaxSide bounds width and height, in pixels. JPEG's fields hold 65535; libjpeg
// stops at 65500 (JPEG_MAX_DIMENSION in jmorecfg.h).
const MaxSide = 65500

// DefaultQuality is the quality of an Encoder that was asked for none.
const DefaultQuality = 80

var (
	// ErrFormat reports bytes that are no JPEG, or a corrupt or truncated one.
	ErrFormat = errors.New("codec: not a whole, valid JPEG")
	// ErrUnsupported reports a valid JPEG, or a picture to encode, of a kind that
	// this package or this build leaves out. The text says which.
	ErrUnsupported = errors.New("codec: unsupported picture")
	// ErrClosed reports the use of an Encoder or Decoder after its Close.
	ErrClosed = errors.New("codec: already closed")
)

// TooLargeError reports a picture over MaxPixels or MaxSide. Both fields are in
// pixels.
type TooLargeError struct{ Width, Height int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("codec: picture of %dx%d is over the limit of %d pixels, %d a side", e.Width, e.Height, MaxPixels, MaxSide)
}

// checkSize bounds a picture before memory is spent on it.
func checkSize(w, h int) error {
	if w > MaxSide || h > MaxSide || int64(w)*int64(h) > MaxPixels {
		return &TooLargeError{Width: w, Height: h}
	}
	return nil
}
