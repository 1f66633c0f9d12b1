package fragment

// Largest and smallest IP packet that can be asked for, in bytes. Below 576 (RFC
// 791 section 3.1: what every IPv4 host must take) headers would outweigh pictures.
const (
	MinMTU = 576
	MaxMTU = 65535
)

const udpHeaderLen = 8 // RFC 768

// ShardFor is the largest shard whose datagram fits an IP packet of mtu bytes with
// an IP header of ipHeader bytes (20 for IPv4, 40 for IPv6, both without options),
// leaving room for the seal:
//
//	1500 - 20 - 8 - 48 - 16 = 1408
//
// It is at least ShardUnit and at most MaxShard.
func ShardFor(mtu, ipHeader int) int {
	room := mtu - ipHeader - udpHeaderLen - HeaderLen - SealLen
	return min(max(room/ShardUnit*ShardUnit, ShardUnit), MaxShard)
}
