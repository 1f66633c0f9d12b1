package fragment

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"testing"
)

// The sealed example of docs/PROTOCOL.md, section 8 opens with the standard
// library's primitives, used as that section says.
func TestSealedExample(t *testing.T) {
	datagram := examples(t)["data-sealed"]
	var h Header
	sealed, err := h.Parse(datagram)
	if err != nil {
		t.Fatal(err)
	}
	master := make([]byte, 32)
	for i := range master {
		master[i] = byte(i)
	}
	key, err := hkdf.Key(sha256.New, master, []byte("framegram seal v1"), string(datagram[4:12]), 32)
	if err != nil {
		t.Fatal(err)
	}
	if page := plainBlock(t, "its key is"); !bytes.Equal(page, key) {
		t.Errorf("the key is %x on the page, want %x", page, key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil || aead.Overhead() != SealLen {
		t.Fatalf("overhead %d, %v, want %d", aead.Overhead(), err, SealLen)
	}
	nonce := append(make([]byte, 4), datagram[12:20]...)
	tag := datagram[len(datagram)-SealLen:]
	open, err := aead.Open(nil, nonce, append(bytes.Clone(sealed), tag...), datagram[:HeaderLen])
	if err != nil || !bytes.Equal(open, exampleFrame()[64:]) {
		t.Errorf("opened to % x, %v, want bytes 64..99", open, err)
	}
	for bit := range HeaderLen * 8 { // every bit of the header is vouched for
		head := bytes.Clone(datagram[:HeaderLen])
		head[bit/8] ^= 1 << (bit % 8)
		if _, err := aead.Open(nil, nonce, append(bytes.Clone(sealed), tag...), head); err == nil {
			t.Errorf("opens with bit %d of the header flipped", bit)
		}
	}
}
