// Package timecode paints a frame's ID and capture time into its picture, as a
// strip of black and white cells across the top, and reads them back. The strip
// survives JPEG at quality 50 and more and rescaling to half the size, so that a
// picture tells how old it is at any point of its way: after a codec, a network, a
// browser's screenshot. docs/TIMECODE.md is the layout's authority.
//
// The package knows no codec: it works on [image.Image] and on anything whose
// pixels it can reach through [Packed].
package timecode

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// The strip's geometry. Cell (column, row) of a picture of W x H pixels covers
// x from column*W/48 to (column+1)*W/48 and y from row*H/40 to (row+1)*H/40, rounded
// down and without the end.
const (
	Columns  = 48 // cells across
	Rows     = 3  // cells down
	Division = 40 // a cell is 1/40 of the picture's height

	// MinWidth and MinHeight bound what Paint takes, in pixels: cells of 4x4 can
	// still be read after rescaling to half.
	MinWidth, MinHeight = 4 * Columns, 4 * Division
)

const (
	codeLen = Columns * Rows / 8 // bytes
	sync    = 0xACE5
	black   = 16 // luma: the ends of the range that BT.601 gives video, which nothing on the way clips
	white   = 235
)

var (
	// ErrNoCode reports a picture without a strip: too small, or the sync word is
	// not there.
	ErrNoCode = errors.New("timecode: no code in the picture")
	// ErrChecksum reports a strip that was found and cannot be trusted.
	ErrChecksum = errors.New("timecode: checksum is wrong")
	// ErrTooSmall reports a picture of less than MinWidth x MinHeight pixels.
	ErrTooSmall = errors.New("timecode: picture is smaller than 192x160")
	// ErrUnsupported reports a picture that cannot be painted on.
	ErrUnsupported = errors.New("timecode: unsupported kind of picture")
)

// Code is what the strip says.
type Code struct {
	ID       uint32    // of the frame
	Captured time.Time // exact to the microsecond
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bytes are the strip's cells, row by row, the first cell in the highest bit.
func (c Code) bytes() (b [codeLen]byte) {
	binary.BigEndian.PutUint16(b[0:], sync)
	binary.BigEndian.PutUint32(b[2:], c.ID)
	binary.BigEndian.PutUint64(b[6:], uint64(c.Captured.UnixMicro()))
	binary.BigEndian.PutUint32(b[14:], crc32.Checksum(b[2:14], castagnoli))
	return b
}

// parse takes bytes whose sync word has been recognized.
func parse(b [codeLen]byte) (Code, error) {
	if binary.BigEndian.Uint32(b[14:]) != crc32.Checksum(b[2:14], castagnoli) {
		return Code{}, ErrChecksum
	}
	return Code{
		ID:       binary.BigEndian.Uint32(b[2:]),
		Captured: time.UnixMicro(int64(binary.BigEndian.Uint64(b[6:]))),
	}, nil
}
