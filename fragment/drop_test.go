package fragment

import (
	"bytes"
	"testing"
	"time"
)

// Each reason for which one datagram is dropped, in the order in which they are
// looked at.
func TestDrops(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		do   func(g *rig, s *sender) [][]byte // what is to be dropped
		want Dropped
	}{
		{"other version", Config{}, func(g *rig, s *sender) [][]byte {
			d := s.frame(10).datagrams[0]
			d[2] = 2<<4 | byte(TypeData)
			return [][]byte{d, {'F', 'G', 0x21}}
		}, Dropped{OtherVersion: 2}},
		{"malformed", Config{}, func(g *rig, s *sender) [][]byte {
			d := s.frame(10).datagrams[0]
			return [][]byte{{}, []byte("FG"), []byte("GET / HTTP/1.1\r\n\r\n"), d[:40], d[:50], bytes.Repeat([]byte{0xff}, 1500)}
		}, Dropped{Malformed: 6}},
		{"a control message", Config{}, func(g *rig, s *sender) [][]byte {
			b, _ := (&Bye{}).AppendBinary(nil)
			return [][]byte{b}
		}, Dropped{Malformed: 1}},
		{"sealed", Config{}, func(g *rig, s *sender) [][]byte {
			d := s.edited(s.frame(10).datagrams[0], func(h *Header) { h.Flags |= FlagSealed })
			return [][]byte{append(d, make([]byte, SealLen)...)}
		}, Dropped{Sealed: 1}},
		{"stranger's", Config{}, func(g *rig, s *sender) [][]byte {
			return newSender(g.t, 77).frame(640).datagrams
		}, Dropped{Stranger: 10}},
		{"sequence number again", Config{}, func(g *rig, s *sender) [][]byte {
			f := s.frame(640)
			g.push(addrA, f.datagrams[0])
			return f.datagrams[:1]
		}, Dropped{Duplicate: 1}},
		{"sequence number behind the window", Config{}, func(g *rig, s *sender) [][]byte {
			old := s.frame(640)
			s.seq += windowSize
			g.push(addrA, s.frame(10).datagrams...)
			return old.datagrams
		}, Dropped{Late: 10}},
		{"sequence number far ahead", Config{}, func(g *rig, s *sender) [][]byte {
			return [][]byte{s.edited(s.frame(640).datagrams[0], func(h *Header) { h.Sequence += maxLeap + 100 })}
		}, Dropped{Inconsistent: 1}},
		{"too large", Config{MaxFrame: 639}, func(g *rig, s *sender) [][]byte {
			return s.frame(640).datagrams
		}, Dropped{TooLarge: 10}},
		{"not newer than the newest complete frame", Config{}, func(g *rig, s *sender) [][]byte {
			older, newer := s.frame(640), s.frame(640)
			g.push(addrA, newer.datagrams...)
			return append(older.datagrams, s.edited(newer.datagrams[0], func(*Header) {}))
		}, Dropped{Late: 10, Surplus: 1}},
		{"of a frame given up", Config{}, func(g *rig, s *sender) [][]byte {
			f := s.frame(640)
			g.push(addrA, f.datagrams[0])
			g.wait(100 * time.Millisecond)
			return f.datagrams[1:]
		}, Dropped{Late: 9}},
		{"older than all in progress", Config{Frames: 2}, func(g *rig, s *sender) [][]byte {
			oldest := s.frame(640)
			g.push(addrA, s.frame(640).datagrams[0], s.frame(640).datagrams[0])
			return oldest.datagrams
		}, Dropped{NoRoom: 10}},
		{"another captured", Config{}, inconsistent(func(h *Header) { h.Captured++ }), Dropped{Inconsistent: 1}},
		{"another shard", Config{}, inconsistent(func(h *Header) { h.Shard, h.Length = 128, 192 }), Dropped{Inconsistent: 1}},
		{"another number of blocks", Config{}, inconsistent(func(h *Header) { h.Blocks = 2 }), Dropped{Inconsistent: 1}},
		{"a block that there is not", Config{}, inconsistent(func(h *Header) { h.Block, h.Blocks = 1, 0 }), Dropped{Inconsistent: 1}},
		{"another length", Config{}, inconsistent(func(h *Header) { h.Length-- }), Dropped{Inconsistent: 1}},
		{"another offset", Config{}, inconsistent(func(h *Header) { h.Offset++ }), Dropped{Inconsistent: 1}},
		{"another CRC", Config{}, inconsistent(func(h *Header) { h.CRC++ }), Dropped{Inconsistent: 1}},
		{"another parity", Config{}, inconsistent(func(h *Header) { h.Parity++ }), Dropped{Inconsistent: 1}},
		{"fragment again", Config{}, inconsistent(func(h *Header) { h.Index = 0 }), Dropped{Duplicate: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, s := newRig(t, tt.cfg), newSender(t, 1)
			g.push(addrA, s.frame(10).datagrams...) // followed from now on
			drop := tt.do(g, s)
			before := g.r.Counters()
			g.nothing(g.push(addrA, drop...))
			g.dropped(before.Dropped, tt.want)
			if after := g.r.Counters(); after.Used != before.Used || after.Opened != before.Opened {
				t.Errorf("used %d and opened %d, want nothing used", after.Used-before.Used, after.Opened-before.Opened)
			}
			g.wait(100 * time.Millisecond)
			f := s.frame(600)
			g.wants(g.push(addrA, f.datagrams...), f) // none of it harms the next frame
		})
	}
}

// inconsistent makes a datagram that contradicts the first one of its frame.
func inconsistent(change func(h *Header)) func(*rig, *sender) [][]byte {
	return func(g *rig, s *sender) [][]byte {
		f := s.frame(640)
		g.push(addrA, f.datagrams[0])
		return [][]byte{s.edited(f.datagrams[1], change)}
	}
}

// A frame over the limit has come all the same: it is not missing.
func TestTooLargeIsNotMissing(t *testing.T) {
	g, s := newRig(t, Config{MaxFrame: 1000}), newSender(t, 1)
	g.push(addrA, s.frame(1000).datagrams...)
	g.push(addrA, s.frame(1001).datagrams...)
	f := s.frame(1000)
	g.wants(g.push(addrA, f.datagrams...), f)
	if c := g.r.Counters(); c.Dropped.TooLarge != 16 || c.Missing != 0 || c.Sequenced != s.seq || c.Lost != 1 {
		t.Errorf("got %+v, want 16 too large, none missing, one frame lost", c)
	}
}
