package codec

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// stripTables leaves the Huffman tables out, as a webcam does.
func stripTables(t testing.TB, data []byte) []byte {
	t.Helper()
	out := bytes.Clone(data)
	for {
		i := bytes.Index(out, []byte{0xFF, mDHT})
		if i < 0 {
			break
		}
		out = append(out[:i], out[i+2+segmentLen(out, i+2):]...)
	}
	if len(out) == len(data) {
		t.Fatal("there were no tables")
	}
	return out
}

// TestStandardTables compares the tables with those of image/jpeg, which writes the
// same segment.
func TestStandardTables(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, photo(16, 16), nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b.Bytes(), standardHuffman) {
		t.Error("image/jpeg writes other tables")
	}
}

func TestMend(t *testing.T) {
	whole := encode(t, newEncoder(t, EncoderConfig{}), photo(64, 48))
	if h, err := ParseHeader(whole); err != nil || !h.Huffman {
		t.Fatalf("%+v, %v", h, err)
	}
	bare := stripTables(t, whole)

	mended := Mend(bytes.Clone(bare))
	h, err := ParseHeader(mended)
	if err != nil || !h.Huffman || len(mended) != len(bare)+len(standardHuffman) {
		t.Fatalf("%d bytes became %d: %+v, %v", len(bare), len(mended), h, err)
	}
	if !bytes.Equal(decodeRGB(t, mended), decodeRGB(t, whole)) {
		t.Error("the mended picture is another one")
	}

	room := append(make([]byte, 0, len(bare)+len(standardHuffman)), bare...)
	if got := Mend(room); &got[0] != &room[0] || !bytes.Equal(got, mended) {
		t.Error("did not mend in place, though there was room")
	}

	progressive := blocks{size: image.Pt(8, 8), factors: []byte{0x11}, sof: mSOF2, noTables: true}.jpeg()
	for name, in := range map[string][]byte{"a whole one": whole, "progressive": progressive, "nothing": nil, "garbage": []byte("garbage"), "a cut one": bare[:100]} {
		before := bytes.Clone(in)
		got := Mend(in)
		if !bytes.Equal(got, before) || len(in) > 0 && &got[0] != &in[0] {
			t.Errorf("%s did not come back as it was", name)
		}
	}
}

func decodeRGB(t testing.TB, data []byte) []byte {
	t.Helper()
	h, err := ParseHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	p := ReuseBGR(nil, h.Width, h.Height)
	if err := newDecoder(t).DecodeBGR(p, data); err != nil {
		t.Fatal(err)
	}
	return p.Pix
}
