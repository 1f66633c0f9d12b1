package codec

// The scalings that a stream takes when its link becomes slow: to a half and to three
// quarters of each side. Samples are channels bytes wide, which sizes count as one.

// halves reports whether dst is half of src.
func halves(dst, src plane) bool { return dst.size.Mul(2) == src.size }

// threeOfFour reports whether threeQuarters can make dst of src.
func threeOfFour(dst, src plane) bool {
	return dst.size.Mul(4) == src.size.Mul(3) && src.size.X%4 == 0 && src.size.Y%4 == 0
}

// halve makes a sample of the mean of four.
func halve(dst, src plane, channels int) {
	for y := range dst.size.Y {
		d := dst.pix[y*dst.stride:][:dst.size.X*channels]
		a, b := src.pix[2*y*src.stride:][:src.size.X*channels], src.pix[(2*y+1)*src.stride:][:src.size.X*channels]
		if channels == 1 {
			for x := range d {
				i := 2 * x
				d[x] = byte((uint(a[i]) + uint(a[i+1]) + uint(b[i]) + uint(b[i+1]) + 2) >> 2)
			}
			continue
		}
		for x, i := 0, 0; x+3 <= len(d) && i+6 <= len(a) && i+6 <= len(b); x, i = x+3, i+6 {
			p, q, out := a[i:i+6:i+6], b[i:i+6:i+6], d[x:x+3:x+3]
			out[0] = byte((uint(p[0]) + uint(p[3]) + uint(q[0]) + uint(q[3]) + 2) >> 2)
			out[1] = byte((uint(p[1]) + uint(p[4]) + uint(q[1]) + uint(q[4]) + 2) >> 2)
			out[2] = byte((uint(p[2]) + uint(p[5]) + uint(q[2]) + uint(q[5]) + 2) >> 2)
		}
	}
}

// threeQuarters makes three samples of four, across and down. The first is 3/4 of the first
// and 1/4 of the second, as the area that it covers; the second half of each of its two.
func threeQuarters(dst, src plane, channels int) {
	for y := range dst.size.Y {
		j := y % 3
		from := y/3*4 + j
		d := dst.pix[y*dst.stride:][:dst.size.X*channels]
		a, b := src.pix[from*src.stride:][:src.size.X*channels], src.pix[(from+1)*src.stride:][:src.size.X*channels]
		wa, wb := uint(3-j), uint(1+j)
		if channels == 1 {
			for x, i := 0, 0; x+3 <= len(d) && i+4 <= len(a) && i+4 <= len(b); x, i = x+3, i+4 {
				threeOf((*[4]byte)(a[i:]), (*[4]byte)(b[i:]), (*[3]byte)(d[x:]), wa, wb)
			}
			continue
		}
		for x, i := 0, 0; x+9 <= len(d) && i+12 <= len(a) && i+12 <= len(b); x, i = x+9, i+12 {
			p, q, out := (*[12]byte)(a[i:]), (*[12]byte)(b[i:]), (*[9]byte)(d[x:])
			for c := range 3 {
				v0, v1 := wa*uint(p[c])+wb*uint(q[c]), wa*uint(p[c+3])+wb*uint(q[c+3])
				v2, v3 := wa*uint(p[c+6])+wb*uint(q[c+6]), wa*uint(p[c+9])+wb*uint(q[c+9])
				out[c], out[c+3], out[c+6] = byte((3*v0+v1+8)>>4), byte((v1+v2+4)>>3), byte((v2+3*v3+8)>>4)
			}
		}
	}
}

func threeOf(p, q *[4]byte, out *[3]byte, wa, wb uint) {
	v0, v1 := wa*uint(p[0])+wb*uint(q[0]), wa*uint(p[1])+wb*uint(q[1])
	v2, v3 := wa*uint(p[2])+wb*uint(q[2]), wa*uint(p[3])+wb*uint(q[3])
	out[0], out[1], out[2] = byte((3*v0+v1+8)>>4), byte((v1+v2+4)>>3), byte((v2+3*v3+8)>>4)
}
