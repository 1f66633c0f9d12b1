package batch

import "github.com/framegram/framegram/fragment"

// Limits of one train. The kernel takes 64 segments (128 since Linux 6.9:
// UDP_MAX_SEGMENTS), and as many bytes as an IPv4 packet holds beside its headers.
const (
	maxSegments   = 64
	maxTrainBytes = 65535 - 20 - 8
)

func size(d *fragment.Datagram) int { return len(d.Header) + len(d.Payload) }

// train is how many of ds, which is not empty, can go as one train, and the size in
// bytes that its datagrams have: all but the last, which may be shorter. A datagram that
// is too long for any train, or empty, is one alone.
func train(ds []fragment.Datagram) (n, segment int) {
	segment = size(&ds[0])
	total := segment
	for n = 1; n < min(len(ds), maxSegments) && segment > 0; n++ {
		next := size(&ds[n])
		if next == 0 || next > segment || total+next > maxTrainBytes {
			break
		}
		if total += next; next < segment {
			return n + 1, segment
		}
	}
	return n, segment
}
