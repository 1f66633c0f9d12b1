package codec

import (
	"encoding/binary"
	"fmt"
	"image"
)

// Markers of ITU-T T.81, table B.1, by their second byte.
const (
	mSOF0  = 0xC0 // baseline, Huffman
	mSOF1  = 0xC1 // extended sequential, Huffman
	mSOF2  = 0xC2 // progressive, Huffman
	mDHT   = 0xC4
	mJPG   = 0xC8
	mDAC   = 0xCC
	mSOF15 = 0xCF
	mRST0  = 0xD0
	mRST7  = 0xD7
	mSOI   = 0xD8
	mEOI   = 0xD9
	mSOS   = 0xDA
	mDQT   = 0xDB
	mDNL   = 0xDC
	mDRI   = 0xDD
	mAPP0  = 0xE0
	mAPP14 = 0xEE
	mCOM   = 0xFE
)

// Header is what a JPEG says of itself before its first scan.
type Header struct {
	Width, Height   int                       // pixels, 1..MaxSide each, at most MaxPixels together
	Components      int                       // 1 (grey) or 3 (YCbCr)
	Ratio           image.YCbCrSubsampleRatio // 4:4:4, 4:2:2, 4:2:0, 4:4:0 or 4:1:1; 4:2:0 if Gray, so that it can be decoded like the rest
	Gray            bool                      // one component: decoded to YCbCr, chroma is neutral
	Progressive     bool                      // SOF2
	Huffman         bool                      // has Huffman tables; see Mend
	RestartInterval int                       // MCUs between restart markers, 0 for none
	Scan            int                       // offset in bytes of the first scan's SOS marker: what stands before it is the header
	Data            int                       // offset in bytes of the first scan's entropy-coded data
}

// ParseHeader walks the markers of a JPEG up to its first scan, decoding nothing.
// jpeg is borrowed. What it accepts is baseline, extended sequential or progressive
// Huffman JPEG of 8 bits, grey or YCbCr; anything else is an ErrUnsupported, and a
// picture that is too large a *TooLargeError.
func ParseHeader(jpeg []byte) (Header, error) {
	var p headerParser
	if err := p.parse(jpeg); err != nil {
		return Header{}, err
	}
	return p.Header, nil
}

// headerParser adds to a Header what decides about the colour space, which is told
// by several segments.
type headerParser struct {
	Header
	frame    bool        // SOF seen
	height   int         // offset in bytes of the picture's height, in SOF
	dri      int         // offset in bytes of the restart interval that counts; 0 if there is none
	mcu      image.Point // pixels that an MCU of a scan with all components covers
	together bool        // the first scan has all components

	rgb   bool // components are named R, G, B
	jfif  bool
	adobe bool // Adobe's segment says that this is no YCbCr
}

func (p *headerParser) parse(jpeg []byte) error {
	if len(jpeg) < 2 || jpeg[0] != 0xFF || jpeg[1] != mSOI {
		return fmt.Errorf("%w: it does not start with SOI", ErrFormat)
	}
	for pos := 2; ; {
		marker, next, ok := nextMarker(jpeg, pos)
		if !ok {
			return fmt.Errorf("%w: no marker at byte %d", ErrFormat, pos)
		}
		p.Scan, pos = pos, next
		if isRestart(marker) {
			continue
		}
		if marker < mSOF0 || marker == mSOI || marker == mEOI {
			return fmt.Errorf("%w: marker FF%02X before the first scan", ErrFormat, marker)
		}
		n := segmentLen(jpeg, pos)
		if n < 2 || n > len(jpeg)-pos {
			return fmt.Errorf("%w: cut off in segment FF%02X", ErrFormat, marker)
		}
		if marker == mSOS {
			p.Data = pos + n
			p.together = n > 2 && int(jpeg[pos+2]) == p.Components
			return p.startOfScan()
		}
		if err := p.segment(marker, jpeg[pos+2:pos+n], pos+2); err != nil {
			return err
		}
		pos += n
	}
}

// segmentLen is the length that the segment at pos gives itself, which counts its
// own two bytes; 0 if they are not there.
func segmentLen(b []byte, pos int) int {
	if len(b)-pos < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(b[pos:]))
}

// nextMarker reads the marker at pos, with any fill bytes before it (T.81 B.1.1.2),
// and returns the position behind it.
func nextMarker(b []byte, pos int) (marker byte, next int, ok bool) {
	start := pos
	for pos < len(b) && b[pos] == 0xFF {
		pos++
	}
	if pos == start || pos == len(b) || b[pos] == 0 {
		return 0, pos, false
	}
	return b[pos], pos + 1, true
}

// isRestart reports whether a marker is RST0..RST7, which have no segment behind
// them. Outside a scan they mean nothing.
func isRestart(marker byte) bool { return mRST0 <= marker && marker <= mRST7 }

// segment reads s, the body of a segment, which stands at byte at.
func (p *headerParser) segment(marker byte, s []byte, at int) error {
	switch {
	case marker == mDHT:
		p.Huffman = true
	case marker == mDRI:
		if len(s) != 2 {
			return fmt.Errorf("%w: DRI of %d bytes", ErrFormat, len(s))
		}
		p.RestartInterval, p.dri = int(binary.BigEndian.Uint16(s)), at
	case marker == mAPP0 && len(s) >= 14 && string(s[:5]) == "JFIF\x00":
		p.jfif = true
	case marker == mAPP14 && len(s) >= 12 && string(s[:5]) == "Adobe":
		p.adobe = s[11] == 0
	case marker == mSOF0, marker == mSOF1, marker == mSOF2:
		p.Progressive = marker == mSOF2
		return p.startOfFrame(s, at)
	case marker == mDAC:
		return fmt.Errorf("%w: arithmetic coding", ErrUnsupported)
	case marker <= mSOF15 && marker != mJPG:
		return fmt.Errorf("%w: JPEG process SOF%d; baseline and progressive Huffman are read", ErrUnsupported, marker-mSOF0)
	}
	return nil
}

// startOfFrame reads s, which stands at byte at.
func (p *headerParser) startOfFrame(s []byte, at int) error {
	if p.frame {
		return fmt.Errorf("%w: two frame headers", ErrFormat)
	}
	p.frame = true
	if len(s) < 6 || len(s) != 6+3*int(s[5]) {
		return fmt.Errorf("%w: frame header of %d bytes", ErrFormat, len(s))
	}
	if s[0] != 8 {
		return fmt.Errorf("%w: %d bits a sample", ErrUnsupported, s[0])
	}
	p.height = at + 1
	p.Height, p.Width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	if p.Width == 0 || p.Height == 0 { // a height of 0 announces a DNL segment, which no common decoder reads
		return fmt.Errorf("%w: size %dx%d", ErrFormat, p.Width, p.Height)
	}
	if err := checkSize(p.Width, p.Height); err != nil {
		return err
	}
	p.Components = int(s[5])
	switch comp := s[6:]; p.Components {
	case 1:
		p.Gray, p.Ratio = true, image.YCbCrSubsampleRatio420
		p.mcu = image.Pt(8, 8) // whatever its factors, T.81 A.2.2
	case 3:
		// Y has the largest factors of all that setRatio takes.
		p.mcu = image.Pt(8*int(comp[1]>>4), 8*int(comp[1]&15))
		p.rgb = comp[0] == 'R' && comp[3] == 'G' && comp[6] == 'B'
		return p.setRatio(comp[1], comp[4], comp[7])
	case 4:
		return fmt.Errorf("%w: CMYK", ErrUnsupported)
	default:
		return fmt.Errorf("%w: %d components", ErrUnsupported, p.Components)
	}
	return nil
}

// setRatio derives the ratio from the sampling factors (h<<4 | v) of Y, Cb and Cr.
// Only their proportion counts (2x2,1x2,1x2 is 4:2:2 as 2x1,1x1,1x1 is); these are
// the ones that every decoder behind this package reads.
func (h *Header) setRatio(y, cb, cr byte) error {
	if cb == cr {
		switch [2]byte{y, cb} {
		case [2]byte{0x22, 0x11}:
			h.Ratio = image.YCbCrSubsampleRatio420
			return nil
		case [2]byte{0x21, 0x11}, [2]byte{0x22, 0x12}:
			h.Ratio = image.YCbCrSubsampleRatio422
			return nil
		case [2]byte{0x11, 0x11}, [2]byte{0x12, 0x12}, [2]byte{0x21, 0x21}:
			h.Ratio = image.YCbCrSubsampleRatio444
			return nil
		case [2]byte{0x12, 0x11}, [2]byte{0x22, 0x21}:
			h.Ratio = image.YCbCrSubsampleRatio440
			return nil
		case [2]byte{0x41, 0x11}:
			h.Ratio = image.YCbCrSubsampleRatio411
			return nil
		}
	}
	return fmt.Errorf("%w: sampling factors %02x,%02x,%02x", ErrUnsupported, y, cb, cr)
}

// startOfScan is called at the first SOS. Which pictures are RGB is decided as
// libjpeg does (default_decompress_parms in jdapimin.c); where image/jpeg would
// call one RGB that libjpeg does not, it counts as RGB too.
func (p *headerParser) startOfScan() error {
	if !p.frame {
		return fmt.Errorf("%w: a scan before the frame header", ErrFormat)
	}
	if p.Components == 3 && !p.jfif && (p.adobe || p.rgb) {
		return fmt.Errorf("%w: RGB instead of YCbCr", ErrUnsupported)
	}
	return nil
}
