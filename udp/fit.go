package udp

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/framegram/framegram/fragment"
)

// autoMTU is the largest IP packet used unasked, in bytes: Ethernet's. Loopback's
// 65535 and jumbo frames are taken only when configured.
const autoMTU = 1500

// fit chooses the shard size by the smallest MTU of all paths. Frames cut from now
// on use it.
func (s *Sender) fit(now time.Time) {
	s.mtuAt = now
	mtu, shard := cmp.Or(s.cfg.MTU, autoMTU), fragment.MaxShard
	for _, c := range s.crowds { // it may have no interface now
		shard = min(shard, fragment.ShardFor(mtu, ipHeader(c.addr.Addr())))
	}
	for _, l := range s.listeners { // there may be no guest now
		shard = min(shard, fragment.ShardFor(mtu, ipHeader(l.addr.Addr().Unmap())))
	}
	for _, d := range s.dests {
		d.mtu = mtu
		if d.away {
			continue
		}
		path := mtu
		if known := d.pathMTU(); known >= fragment.MinMTU { // what a broken ICMP message claims below that is ignored
			path = min(mtu, known)
		}
		d.mtu = path
		shard = min(shard, fragment.ShardFor(path, ipHeader(d.addr.Addr())))
	}
	for _, d := range s.dests {
		mtu = min(mtu, d.mtu)
	}
	s.survey(now)
	if s.stats.Shard != 0 && shard != s.stats.Shard {
		s.sorry.log.Info("datagram size changed", slog.Int("mtu_bytes", mtu), slog.Int("shard_bytes", shard))
	}
	if err := s.cut.SetShard(shard); err != nil {
		s.sorry.warn("keeping the datagram size", slog.Any("error", err)) // cannot be: ShardFor gives valid sizes
	}
	s.stats.MTU, s.stats.Shard = mtu, s.cut.Shard()
}
