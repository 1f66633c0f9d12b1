package fragment

import "testing"

// Headers that are the same but for sequence and index are, and no others.
func TestDifferLooksAtAllButTwoFields(t *testing.T) {
	var b [HeaderLen]byte
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	was := words(b[:])
	for i := range b {
		for bit := range 8 {
			c := b
			c[i] ^= 1 << bit
			free := i >= sequenceAt && i < sequenceAt+8 || i == indexAt
			if differ(words(c[:]), was) == free {
				t.Fatalf("bit %d of byte %d: differ is %t", bit, i, !free)
			}
		}
	}
}
