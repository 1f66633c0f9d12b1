package codec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"image"
)

// target is the picture to decode into: planar or, if that is nil, bgr.
type target struct {
	planar *image.YCbCr
	bgr    BGR
}

// whole decodes a JPEG into all of t.
func (d *nativeDecoder) whole(t *target, jpeg []byte, h Header) error {
	if t.planar != nil {
		return d.planarPicture(t.planar, jpeg, h)
	}
	return d.bgrPicture(&t.bgr, jpeg, h)
}

// parallel decodes the strips of a picture at the same time. A run of strips is made
// a JPEG of its own, of a copy of the header that says how high it is, and of a copy
// of its bytes: that takes 1 % of the time that decoding them does.
//
// Nothing of a strip's pixels depends on other strips, since chroma is repeated and
// not smoothed across rows.
type parallel struct {
	strips Strips
	crew   *crew // started when the first picture comes that has strips
	hand   []*stripDecoder

	dst   target // of the picture under way
	run   int    // strips that are decoded in one go
	least int    // rows of pixels of a run at least; 0 for runRows
}

// stripDecoder is what one hand of the crew needs.
type stripDecoder struct {
	native nativeDecoder
	jpeg   []byte      // the JPEG of its own
	view   image.YCbCr // of the picture
	err    error
}

// decode returns false if jpeg has no strips to decode apart; else it has decoded it.
func (p *parallel) decode(dst target, jpeg []byte, h Header) (done bool, err error) {
	if h.RestartInterval == 0 {
		return false, nil
	}
	if p.strips.Find(jpeg) != nil {
		return false, nil // whole decoding will say what is wrong
	}
	_, rows := p.strips.Rows(0)
	p.run = units(cmp.Or(p.least, runRows), rows)
	runs := units(p.strips.Len(), p.run)
	if runs == 1 {
		return false, nil
	}
	if p.crew == nil {
		p.crew = newCrew(0)
	}
	for len(p.hand) < p.crew.hands {
		d := new(stripDecoder)
		if err := d.native.open(); err != nil {
			return true, err
		}
		p.hand = append(p.hand, d)
	}
	p.dst = dst
	p.crew.run(p, runs)
	p.dst = target{}
	p.strips.jpeg = nil
	for _, d := range p.hand {
		if d.err != nil && err == nil {
			err = d.err
		}
		d.err = nil
	}
	return true, err
}

// runRows is how many rows of pixels a run has at least: each costs another header.
const runRows = 64

// part implements job.
func (p *parallel) part(hand, i int) {
	d, s := p.hand[hand], &p.strips
	if d.err != nil {
		return
	}
	first := i * p.run
	last := min(first+p.run, s.Len()) - 1
	from, _ := s.Rows(first)
	_, to := s.Rows(last)
	d.jpeg = s.appendRun(d.jpeg[:0], first, last)
	h := s.head.Header
	h.Height = to - from
	t := target{bgr: p.dst.bgr}
	if p.dst.planar != nil {
		rowsOf(&d.view, p.dst.planar, from, to)
		t.planar = &d.view
	} else {
		t.bgr.Pix = t.bgr.Pix[from*t.bgr.Stride:]
		t.bgr.Rect.Max.Y = t.bgr.Rect.Min.Y + h.Height
	}
	d.err = d.native.whole(&t, d.jpeg, h)
	d.view = image.YCbCr{}
}

// appendRun appends to dst a JPEG of the strips first to last, all of them whole.
func (s *Strips) appendRun(dst []byte, first, last int) []byte {
	start := len(dst)
	from, _ := s.Rows(first)
	_, to := s.Rows(last)
	dst = append(dst, s.Head()...)
	binary.BigEndian.PutUint16(dst[start+s.head.height:], uint16(to-from))
	if s.each*(last-first+1) == 1 {
		// Where there can be restart markers, libjpeg-turbo 2 reads Huffman codes the slow
		// way (decode_mcu in jdhuff.c), which takes 5 % more time.
		binary.BigEndian.PutUint16(dst[start+s.head.dri:], 0)
	}
	data := len(dst)
	dst = append(dst, s.jpeg[s.span[first].from:s.span[last].to]...)
	if shift := first * s.each & 7; shift != 0 {
		renumber(dst[data:], shift)
	}
	if last+1 < s.Len() {
		// A restart marker does no harm here (T.81 does not know it, every decoder reads
		// over it), and has libjpeg complain of needless bytes before it as it would in
		// the middle of the picture, and does not of those before EOI.
		dst = append(dst, 0xFF, mRST0+byte((last+1-first)*s.each-1)&7)
	}
	return append(dst, 0xFF, mEOI)
}

// renumber turns every RSTn in entropy-coded data into RSTn-shift.
func renumber(data []byte, shift int) {
	for {
		i := bytes.IndexByte(data, 0xFF)
		if i < 0 || i+1 == len(data) {
			return
		}
		if data = data[i+1:]; isRestart(data[0]) {
			data[0] = mRST0 + (data[0]-mRST0-byte(shift))&7
		}
	}
}

func (p *parallel) close() {
	p.crew.close()
	for _, d := range p.hand {
		d.native.close()
	}
	*p = parallel{}
}
