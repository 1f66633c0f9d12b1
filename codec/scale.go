package codec

import (
	"errors"
	"fmt"
	"image"
	"sync"
)

// Scale resamples src to the size of dst, plane by plane. Going down, a pixel is the
// mean of the area that it covers; going up, it is interpolated between its
// neighbours. An empty dst or src is left alone.
//
// On one core and 4:2:0 pictures it takes 1/4 (1080p to 720p) to 1/7 (to half the
// size) of the time of golang.org/x/image/draw's ApproxBiLinear, and 1/12 or less of
// its BiLinear, which has comparable quality; x/image writes RGBA only, and the way
// back from there is not counted in (BenchmarkScale, 2026-11).
//
// Both have the same ratio, start with a chroma sample, and do not overlap: Scale
// panics on pictures that cannot be meant, as an index out of range does.
func Scale(dst, src *image.YCbCr) {
	if dst.SubsampleRatio != src.SubsampleRatio {
		panic(fmt.Sprintf("codec: Scale from %v to %v", src.SubsampleRatio, dst.SubsampleRatio))
	}
	if dst.Rect.Empty() || src.Rect.Empty() {
		return
	}
	if err := errors.Join(checkYCbCr(dst), checkYCbCr(src)); err != nil {
		panic(err.Error())
	}
	s := scalers.Get().(*scaler)
	defer scalers.Put(s)
	to, from := dst.Rect.Size(), src.Rect.Size()
	s.plane(plane{dst.Y, dst.YStride, to}, plane{src.Y, src.YStride, from})
	to, from = chromaSize(to, dst.SubsampleRatio), chromaSize(from, src.SubsampleRatio)
	s.plane(plane{dst.Cb, dst.CStride, to}, plane{src.Cb, src.CStride, from})
	s.plane(plane{dst.Cr, dst.CStride, to}, plane{src.Cr, src.CStride, from})
}

type plane struct {
	pix    []byte
	stride int
	size   image.Point
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride:][:p.size.X] }

// scaler is scratch memory, kept from picture to picture.
type scaler struct {
	across, down axis
	mixed        []uint16 // the source rows that make up one row of the result, mixed
	sum          []uint32
}

var scalers = sync.Pool{New: func() any { return new(scaler) }}

// axis says which source samples make up each sample of the result, with which
// weight. Weights are in units of 1/one, and those of a sample sum up to one.
type axis struct {
	taps   int
	first  []int32
	weight []uint16 // taps for each sample
}

const (
	oneBits = 14
	one     = 1 << oneBits
)

func (a *axis) set(dst, src int) {
	a.first, a.weight = a.first[:0], a.weight[:0]
	if src > dst {
		a.area(dst, src)
	} else {
		a.between(dst, src)
	}
}

// area gives sample i the mean of the source over [i*src/dst, (i+1)*src/dst).
func (a *axis) area(dst, src int) {
	// Positions are in units of 1/dst of a source sample: 64 bits hold them also
	// where an int has 32.
	d, s := int64(dst), int64(src)
	a.taps = 0
	for i := range int64(dst) {
		a.taps = max(a.taps, int(((i+1)*s+d-1)/d-i*s/d))
	}
	for i := range int64(dst) {
		first := min(i*s/d, s-int64(a.taps))
		a.first = append(a.first, int32(first))
		done := int64(0)
		for t := range int64(a.taps) {
			// The weight of all that is covered up to the end of this tap, less what
			// was given out: so rounding never adds up, and the sum is exactly one.
			covered := min(max((first+t+1)*d-i*s, 0), s) * one / s
			a.weight = append(a.weight, uint16(covered-done))
			done = covered
		}
	}
}

// between interpolates: the centre of sample i lies at (i+0.5)*src/dst - 0.5.
func (a *axis) between(dst, src int) {
	a.taps = min(2, src)
	for i := range int64(dst) {
		at := max(0, (2*i+1)*int64(src)-int64(dst)) * one / int64(2*dst)
		first := min(at/one, int64(src-a.taps))
		a.first = append(a.first, int32(first))
		if a.taps == 1 {
			a.weight = append(a.weight, one)
			continue
		}
		w := min(at-first*one, one)
		a.weight = append(a.weight, uint16(one-w), uint16(w))
	}
}

func (s *scaler) plane(dst, src plane) {
	switch {
	case dst.size == src.size:
		for y := range dst.size.Y {
			copy(dst.row(y), src.row(y))
		}
	case halves(dst, src):
		halve(dst, src, 1)
	case threeOfFour(dst, src):
		threeQuarters(dst, src, 1)
	default:
		s.resample(dst, src)
	}
}

// resample makes each row of the result in two steps: it mixes the source rows into
// one, and that across. Samples between the steps have 8 bits behind the point.
func (s *scaler) resample(dst, src plane) {
	s.across.set(dst.size.X, src.size.X)
	s.down.set(dst.size.Y, src.size.Y)
	if len(s.mixed) < src.size.X {
		s.mixed, s.sum = make([]uint16, src.size.X), make([]uint32, src.size.X)
	}
	mixed := s.mixed[:src.size.X]
	for y := range dst.size.Y {
		s.mix(mixed, src, int(s.down.first[y]), s.down.weight[y*s.down.taps:][:s.down.taps])
		s.across.apply(dst.row(y), mixed)
	}
}

const (
	midBits = 8
	toMid   = oneBits - midBits
	toByte  = oneBits + midBits
)

// mix needs no more than 32 bits: the weights sum up to one.
func (s *scaler) mix(dst []uint16, src plane, first int, weight []uint16) {
	if len(weight) == 2 {
		a, b := src.row(first)[:len(dst)], src.row(first + 1)[:len(dst)]
		wa, wb := uint32(weight[0]), uint32(weight[1])
		for x := range dst {
			dst[x] = uint16((wa*uint32(a[x]) + wb*uint32(b[x]) + 1<<(toMid-1)) >> toMid)
		}
		return
	}
	sum := s.sum[:len(dst)]
	for x := range sum {
		sum[x] = 1 << (toMid - 1)
	}
	for t, w := range weight {
		w := uint32(w)
		for x, v := range src.row(first + t)[:len(sum)] {
			sum[x] += w * uint32(v)
		}
	}
	for x, v := range sum {
		dst[x] = uint16(v >> toMid)
	}
}

func (a *axis) apply(dst []byte, src []uint16) {
	first := a.first[:len(dst)]
	if a.taps == 2 {
		weight := a.weight
		for i, f := range first {
			p, w := src[f:][:2], weight[:2]
			weight = weight[2:]
			dst[i] = byte((uint32(w[0])*uint32(p[0]) + uint32(w[1])*uint32(p[1]) + 1<<(toByte-1)) >> toByte)
		}
		return
	}
	for i, f := range first {
		w := a.weight[i*a.taps:][:a.taps]
		sum := uint32(1 << (toByte - 1))
		for t, v := range src[f:][:len(w)] {
			sum += uint32(w[t]) * uint32(v)
		}
		dst[i] = byte(sum >> toByte)
	}
}
