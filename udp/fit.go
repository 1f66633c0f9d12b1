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
		for _, known := range [...]int{d.pathMTU(), d.routeMTU()} {
			if known >= fragment.MinMTU { // what a broken ICMP message claims below that is ignored
				path = min(path, known)
			}
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

// routeMTU is what the way to many takes by its interface, 0 where there is none or nobody
// knows. It may be less than the interface's own MTU, by a route's (ip-route(8)) or by a
// router's word (RFC 4861 section 4.6.4); a datagram that is larger is refused each time.
// For 255.255.255.255 the kernel looks for no route.
func (d *destination) routeMTU() int {
	if d.conn == nil || !d.many || d.to.Addr() == limitedBroadcast {
		return 0
	}
	mtu, err := wayMTU(d.to, d.link)
	if err != nil {
		return 0
	}
	return mtu
}
