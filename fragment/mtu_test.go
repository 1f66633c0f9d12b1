package fragment

import "testing"

func TestShardFor(t *testing.T) {
	const v4, v6 = 20, 40
	tests := []struct{ mtu, ip, want int }{
		{1500, v4, 1408}, {1500, v6, 1344}, {1420, v4, 1280}, {1280, v6, 1152}, {9000, v4, 8896}, {576, v4, 448}, // of docs/PROTOCOL.md
		{1499, v4, 1344}, // one byte less costs a unit
		{MinMTU, v6, 448},
		{MaxMTU, v4, MaxShard}, {MaxMTU, v6, MaxShard},
		{0, v4, ShardUnit}, {-1 << 20, v6, ShardUnit}, {155, v4, ShardUnit}, {156, v4, ShardUnit}, {220, v4, 2 * ShardUnit},
	}
	for _, tt := range tests {
		if got := ShardFor(tt.mtu, tt.ip); got != tt.want {
			t.Errorf("MTU %d, IP header %d: got %d, want %d", tt.mtu, tt.ip, got, tt.want)
		}
	}
}

// Whatever the MTU, the datagram fits it with the seal, and a larger shard would
// not.
func TestShardForFits(t *testing.T) {
	for mtu := MinMTU; mtu <= MaxMTU; mtu++ {
		for _, ip := range []int{20, 40} {
			shard := ShardFor(mtu, ip)
			packet := ip + 8 + HeaderLen + shard + SealLen
			if shard%ShardUnit != 0 || packet > mtu || packet+ShardUnit <= mtu && shard < MaxShard {
				t.Fatalf("MTU %d, IP header %d: shard %d makes a packet of %d bytes", mtu, ip, shard, packet)
			}
			if _, err := NewSplitter(shard); err != nil {
				t.Fatal(err)
			}
		}
	}
}
