package codec

import (
	"encoding/binary"
	"image"
	"slices"
)

// blocks writes JPEGs by hand: every 8x8 block has one value, so that a decoder's
// result is known exactly, for sampling factors, scans and markers that no encoder
// here writes. The zero value needs size and factors.
type blocks struct {
	size     image.Point
	factors  []byte   // h<<4|v for each component
	ids      []byte   // of the components; nil for 1, 2, 3...
	scans    [][]int  // components of each scan; nil for one with all
	restart  int      // MCUs between restart markers, 0 for none
	sof      byte     // 0 for baseline
	noTables bool     // no DHT, as webcams
	before   [][]byte // segments right after SOI
}

// value is that of a block, 16..239.
func (blocks) value(comp, bx, by int) byte {
	return byte(16 + (comp*71+bx*37+by*101+bx*by*13)%224)
}

// plane is what component comp decodes to.
func (p blocks) plane(comp int) (pix []byte, w, h int) {
	hmax, vmax := p.most()
	f := p.factor(comp)
	w, h = ceil(p.size.X*f.X, hmax), ceil(p.size.Y*f.Y, vmax)
	for y := range h {
		for x := range w {
			pix = append(pix, p.value(comp, x/8, y/8))
		}
	}
	return pix, w, h
}

func (p blocks) factor(comp int) image.Point {
	return image.Pt(int(p.factors[comp]>>4), int(p.factors[comp]&15))
}

func (p blocks) most() (h, v int) {
	for c := range p.factors {
		h, v = max(h, p.factor(c).X), max(v, p.factor(c).Y)
	}
	return h, v
}

func ceil(a, b int) int { return (a + b - 1) / b }

func segment(marker byte, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
}

var jfif = segment(mAPP0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...)

func (p blocks) jpeg() []byte {
	if p.ids == nil {
		p.ids = []byte{1, 2, 3, 4}[:len(p.factors)]
	}
	if p.scans == nil {
		p.scans = [][]int{[]int{0, 1, 2, 3}[:len(p.factors)]}
	}
	b := []byte{0xFF, mSOI}
	for _, s := range p.before {
		b = append(b, s...)
	}
	b = append(b, segment(mDQT, append([]byte{0}, slices.Repeat([]byte{8}, 64)...)...)...)
	frame := []byte{8, byte(p.size.Y >> 8), byte(p.size.Y), byte(p.size.X >> 8), byte(p.size.X), byte(len(p.factors))}
	for c, f := range p.factors {
		frame = append(frame, p.ids[c], f, 0)
	}
	b = append(b, segment(max(p.sof, mSOF0), frame...)...)
	if !p.noTables {
		b = append(b, standardHuffman...)
	}
	if p.restart > 0 {
		b = append(b, segment(mDRI, byte(p.restart>>8), byte(p.restart))...)
	}
	for _, comps := range p.scans {
		b = p.appendScan(b, comps)
	}
	return append(b, 0xFF, mEOI)
}

func (p blocks) appendScan(b []byte, comps []int) []byte {
	head := []byte{byte(len(comps))}
	for _, c := range comps {
		head = append(head, p.ids[c], 0)
	}
	b = append(b, segment(mSOS, append(head, 0, 63, 0)...)...)
	hmax, vmax := p.most()
	across, down := ceil(p.size.X, 8*hmax), ceil(p.size.Y, 8*vmax)
	if len(comps) == 1 { // not interleaved: an MCU is one block
		_, w, h := p.plane(comps[0])
		across, down = ceil(w, 8), ceil(h, 8)
	}
	bits := bitWriter{b: b}
	var last [4]int
	for mcu := range across * down {
		if p.restart > 0 && mcu > 0 && mcu%p.restart == 0 {
			bits.flush()
			bits.b = append(bits.b, 0xFF, mRST0+byte(mcu/p.restart-1)%8)
			last = [4]int{}
		}
		mx, my := mcu%across, mcu/across
		for _, c := range comps {
			f := p.factor(c)
			if len(comps) == 1 {
				f = image.Pt(1, 1)
			}
			for i := range f.X * f.Y {
				dc := int(p.value(c, mx*f.X+i%f.X, my*f.Y+i/f.X)) - 128
				bits.block(dc - last[c])
				last[c] = dc
			}
		}
	}
	bits.flush()
	return bits.b
}

type bitWriter struct {
	b   []byte
	acc uint32
	n   int
}

func (w *bitWriter) write(v uint32, n int) {
	w.acc, w.n = w.acc<<n|v, w.n+n
	for ; w.n >= 8; w.n -= 8 {
		c := byte(w.acc >> (w.n - 8))
		w.b = append(w.b, c)
		if c == 0xFF {
			w.b = append(w.b, 0)
		}
	}
}

func (w *bitWriter) flush() {
	if w.n > 0 {
		w.write(1<<(8-w.n)-1, 8-w.n)
	}
}

// block writes a DC difference with the codes of table K.3, and the EOB of K.5
// (1010).
func (w *bitWriter) block(diff int) {
	size, v := 0, diff
	for a := max(diff, -diff); a > 0; a >>= 1 {
		size++
	}
	if diff < 0 {
		v = diff + 1<<size - 1
	}
	code := []struct {
		bits uint32
		n    int
	}{{0, 2}, {2, 3}, {3, 3}, {4, 3}, {5, 3}, {6, 3}, {14, 4}, {30, 5}, {62, 6}}[size]
	w.write(code.bits, code.n)
	w.write(uint32(v), size)
	w.write(10, 4)
}
