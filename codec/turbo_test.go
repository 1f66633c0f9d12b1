//go:build cgo && !noturbo

package codec

import (
	"image"
	"strings"
	"testing"
)

const pure = false

func TestBackend(t *testing.T) {
	if got := Backend(); !strings.HasPrefix(got, "libjpeg-turbo") {
		t.Errorf("%q", got)
	}
}

// TestSteadyStateAllocatesNothing: a stream of pictures of one size makes no work for
// the garbage collector, odd sizes (which go through scratch memory) included.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, size := range []image.Point{{320, 240}, {321, 241}} {
		rgba := photo(size.X, size.Y)
		e, d := newEncoder(t, EncoderConfig{}), newDecoder(t)
		planar := toYCbCr(rgba, image.YCbCrSubsampleRatio420)
		bgr := toBGR(rgba)
		jpeg := encode(t, e, bgr)
		out := make([]byte, 0, 2*len(jpeg))
		slicer, hands := newEncoder(t, EncoderConfig{Slices: 4}), newDecoder(t)
		hands.parallel.crew, slicer.slicer.crew = newCrew(3), newCrew(3)
		sliced := encode(t, slicer, bgr)
		for range 100 { // until every hand has had its share
			hands.DecodeBGR(bgr, sliced)
			hands.DecodeYCbCr(planar, sliced)
		}
		for name, call := range map[string]func() error{
			"encode BGR":    func() (err error) { out, err = e.Append(out[:0], bgr); return },
			"encode RGBA":   func() (err error) { out, err = e.Append(out[:0], rgba); return },
			"encode planar": func() (err error) { out, err = e.Append(out[:0], planar); return },
			"decode BGR":    func() error { return d.DecodeBGR(bgr, jpeg) },
			"decode planar": func() error { return d.DecodeYCbCr(planar, jpeg) },
			"slice BGR":     func() (err error) { out, err = slicer.Append(out[:0], bgr); return },
			"slice planar":  func() (err error) { out, err = slicer.Append(out[:0], planar); return },
			"join BGR":      func() error { return hands.DecodeBGR(bgr, sliced) },
			"join planar":   func() error { return hands.DecodeYCbCr(planar, sliced) },
		} {
			n := testing.AllocsPerRun(10, func() {
				if err := call(); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s %s: %v allocations", name, size, n)
			}
		}
	}
}

// TestErrorTextSurvives: TurboJPEG keeps the text of an error per thread.
func TestErrorTextSurvives(t *testing.T) {
	d := newDecoder(t)
	data := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	err := d.DecodeBGR(ReuseBGR(nil, 64, 48), data[:len(data)/2])
	if err == nil || !strings.Contains(err.Error(), "remature end of JPEG file") {
		t.Errorf("got %v", err)
	}
}
