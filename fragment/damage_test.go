package fragment

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// One damaged datagram, whatever bit it is that changed in its header, must not stop
// the picture for longer than Silence (or a candidate's idle time, while nobody is
// followed) and two frames, and must never show a torn one.
func TestAnyDamagedBit(t *testing.T) {
	step := 1
	if raceDetector {
		step = 7 // there is nothing concurrent here: a sample will do
	}
	for _, tt := range []struct {
		name    string
		size    int // bytes of a frame
		place   int // which of its datagrams is damaged
		at      int // in which frame
		every   time.Duration
		blocks0 bool // the number of blocks comes last
	}{
		{"only datagram", 60, 0, 5, 33 * time.Millisecond, false},
		{"only datagram, the first that comes", 60, 0, 0, 33 * time.Millisecond, false},
		{"only datagram, slow stream", 60, 0, 5, time.Second, false},
		{"first of ten", 640, 0, 5, 33 * time.Millisecond, false},
		{"last of ten", 640, 9, 5, 33 * time.Millisecond, false},
		{"first of ten, the first that comes", 640, 0, 0, 33 * time.Millisecond, false},
		{"third of ten, of the first frame", 640, 2, 0, 33 * time.Millisecond, false},
		{"third of ten, of the first frame, slow stream", 640, 2, 0, 200 * time.Millisecond, false},
		{"last of ten, of the first frame", 640, 9, 0, 33 * time.Millisecond, false},
		{"first of ten, fast stream", 640, 0, 5, 8 * time.Millisecond, false},
		{"slices", 640, 3, 5, 33 * time.Millisecond, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for bit := 0; bit < HeaderLen*8; bit += step {
				d := damage{t: t, g: newRig(t, Config{}), s: newSender(t, 1<<40), every: tt.every, sliced: tt.blocks0}
				d.s.seq = 1 << 30 // so that a flipped bit may lead backwards as well
				d.s.id = 1 << 20
				for n := range tt.at + int(time.Second/tt.every) + 3 {
					flip := -1
					if n == tt.at {
						flip = tt.place*(HeaderLen*8) + bit
					}
					d.frame(tt.size, flip)
				}
				if limit := 500*time.Millisecond + 2*tt.every; d.gap > limit {
					t.Errorf("bit %d of byte %d: no picture for %v, want at most %v", bit%8, bit/8, d.gap, limit)
				}
			}
		})
	}
}

// damage is a stream that is damaged once.
type damage struct {
	t      *testing.T
	g      *rig
	s      *sender
	every  time.Duration
	sliced bool
	last   time.Time // when a picture was shown
	gap    time.Duration
}

// frame sends one, with that bit of its datagrams' headers flipped if it is not
// negative.
func (d *damage) frame(size, flip int) {
	var f sent
	if d.sliced {
		f = d.s.whole(size)
		f.datagrams = d.s.chunks(f, chunk{0, 0, 0, size / 2}, chunk{1, 2, size / 2, size - size/2})
	} else {
		f = d.s.frame(size)
	}
	if d.last.IsZero() {
		d.last = d.g.now
	}
	for i, b := range f.datagrams {
		if flip >= 0 && flip/(HeaderLen*8) == i {
			b = bytes.Clone(b)
			bit := flip % (HeaderLen * 8)
			b[bit/8] ^= 1 << (bit % 8)
		}
		for _, out := range d.g.push(addrA, b) {
			if !bytes.Equal(out.JPEG, f.jpeg) {
				d.t.Errorf("frame %d came out torn", out.ID)
			}
			d.gap = max(d.gap, d.g.now.Sub(d.last))
			d.last = d.g.now
			out.Release()
		}
	}
	d.g.out = d.g.out[:0]
	d.g.wait(d.every)
	d.gap = max(d.gap, d.g.now.Sub(d.last)-d.every)
}

// The worst that damage can do to the numbering: the only datagram of a frame
// claims to be far ahead. Everything after it is late until the silence is over;
// then the sender is followed anew.
func TestDamagedNumberingRecovers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(h *Header)
	}{
		{"ID far ahead", func(h *Header) { h.Frame += 1 << 30 }},
		{"ID 64 ahead", func(h *Header) { h.Frame += 64 }},
		{"ID 40 ahead", func(h *Header) { h.Frame += 40 }},
		{"sequence far ahead", func(h *Header) { h.Sequence += maxLeap - 100 }},
		{"sequence beyond the window", func(h *Header) { h.Sequence += 2 * windowSize }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, s := newRig(t, Config{}), newSender(t, 1)
			g.push(addrA, s.frame(60).datagrams...)
			h, payload := header(t, s.frame(60).datagrams[0])
			tt.change(&h)
			g.push(addrA, append(h.append(nil), payload...))
			g.wait(33 * time.Millisecond)
			start := g.now
			for len(g.push(addrA, s.frame(640).datagrams...)) == 0 {
				g.wait(33 * time.Millisecond)
				if g.now.Sub(start) > 500*time.Millisecond {
					t.Fatalf("no picture for %v: %+v", g.now.Sub(start), g.r.Counters())
				}
			}
			if n := g.play(s, 30); n != 30 {
				t.Errorf("afterwards %d of 30 frames came out", n)
			}
			if c := g.r.Counters(); c.Takeovers != 1 {
				t.Errorf("got %+v, want one takeover", c)
			}
		})
	}
}

// Bits flipped in the picture itself cost that frame and no other.
func TestDamagedPicture(t *testing.T) {
	g, s := newRig(t, Config{}), newSender(t, 1)
	for i := range 40 {
		f := s.frame(640)
		if i%2 == 1 {
			f.datagrams[i%10][HeaderLen+i] ^= 0x10
			g.nothing(g.push(addrA, f.datagrams...))
			continue
		}
		g.wants(g.push(addrA, slices.Clone(f.datagrams)...), f)
	}
	if c := g.r.Counters(); c.Incomplete.Broken != 20 || c.Complete != 20 {
		t.Errorf("got %+v, want 20 broken", c)
	}
}
