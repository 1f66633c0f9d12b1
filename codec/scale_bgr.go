package codec

import "image"

// ScaleBGR resamples src to the size of dst as [Scale] does planar pictures. They do not
// overlap. It panics on pictures whose memory does not hold what they say.
func ScaleBGR(dst, src *BGR) {
	if dst.Rect.Empty() || src.Rect.Empty() {
		return
	}
	for _, p := range []*BGR{dst, src} {
		if err := checkPlane(len(p.Pix), 3*p.Rect.Dx(), p.Rect.Dy(), p.Stride); err != nil {
			panic(err.Error())
		}
	}
	to, from := plane{dst.Pix, dst.Stride, dst.Rect.Size()}, plane{src.Pix, src.Stride, src.Rect.Size()}
	switch {
	case halves(to, from):
		halve(to, from, 3)
	case threeOfFour(to, from):
		threeQuarters(to, from, 3)
	default:
		s := scalers.Get().(*scaler)
		defer scalers.Put(s)
		s.packed(to, from)
	}
}

// packed is resample for three bytes a pixel, which sizes count as one.
func (s *scaler) packed(dst, src plane) {
	s.across.set(dst.size.X, src.size.X)
	s.down.set(dst.size.Y, src.size.Y)
	rows := plane{src.pix, src.stride, image.Pt(3*src.size.X, src.size.Y)}
	if len(s.mixed) < rows.size.X {
		s.mixed, s.sum = make([]uint16, rows.size.X), make([]uint32, rows.size.X)
	}
	mixed := s.mixed[:rows.size.X]
	for y := range dst.size.Y {
		s.mix(mixed, rows, int(s.down.first[y]), s.down.weight[y*s.down.taps:][:s.down.taps])
		s.across.apply3(dst.pix[y*dst.stride:][:3*dst.size.X], mixed)
	}
}

func (a *axis) apply3(dst []byte, src []uint16) {
	for i, f := range a.first[:len(dst)/3] {
		w := a.weight[i*a.taps:][:a.taps]
		b, g, r := uint32(1<<(toByte-1)), uint32(1<<(toByte-1)), uint32(1<<(toByte-1))
		p := src[3*f:][:3*len(w)]
		for t, w := range w {
			b += uint32(w) * uint32(p[3*t])
			g += uint32(w) * uint32(p[3*t+1])
			r += uint32(w) * uint32(p[3*t+2])
		}
		d := dst[3*i:][:3]
		d[0], d[1], d[2] = byte(b>>toByte), byte(g>>toByte), byte(r>>toByte)
	}
}
