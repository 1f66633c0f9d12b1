package udp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"net/netip"
	"time"
)

// cookieWindow is how long one cookie is given out. It is valid until the next
// window ends, so for 60 to 120 s.
const cookieWindow = 60 * time.Second

// cookies tells who has heard an answer of ours at its address from who has only
// written that address on its datagrams, without remembering anybody: the first 64 bits
// of HMAC-SHA256 over address, port and window, by a key of this start of the program.
// It is not safe for use by several goroutines.
type cookies struct {
	mac   hash.Hash
	start time.Time
	text  []byte // what is hashed
	sum   []byte // and what comes out; both to be used again
}

func newCookies(now time.Time) cookies {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails (crypto/rand)
	return cookies{mac: hmac.New(sha256.New, key), start: now}
}

// window numbers the windows from 1, by the monotonic clock of now.
func (c *cookies) window(now time.Time) uint64 {
	return 1 + uint64(max(now.Sub(c.start), 0)/cookieWindow)
}

// of is the cookie for a viewer now; never 0, which on the wire is none.
func (c *cookies) of(viewer netip.AddrPort, now time.Time) uint64 {
	return c.during(viewer, c.window(now))
}

// valid reports whether cookie was given to this viewer in this window or the one
// before. How long it takes says nothing about the right one.
func (c *cookies) valid(cookie uint64, viewer netip.AddrPort, now time.Time) bool {
	if cookie == 0 {
		return false
	}
	w := c.window(now)
	return same(cookie, c.during(viewer, w))|same(cookie, c.during(viewer, w-1)) == 1 // nobody was given one in window 0
}

func (c *cookies) during(viewer netip.AddrPort, window uint64) uint64 {
	ip := viewer.Addr().As16()
	c.text = binary.BigEndian.AppendUint64(c.text[:0], window)
	c.text = binary.BigEndian.AppendUint16(append(c.text, ip[:]...), viewer.Port())
	c.text = append(c.text, viewer.Addr().Zone()...) // last, since its length is the only one that varies
	c.mac.Reset()
	c.mac.Write(c.text)
	c.sum = c.mac.Sum(c.sum[:0])
	return max(binary.BigEndian.Uint64(c.sum), 1)
}

// same is 1 if a is b, else 0, in a time that does not depend on which.
func same(a, b uint64) int {
	return subtle.ConstantTimeEq(int32(a>>32), int32(b>>32)) & subtle.ConstantTimeEq(int32(a), int32(b))
}
