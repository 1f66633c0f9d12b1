// Package netlab is a network for experiments: two hosts, A and B, with a link
// between them whose rate, delay, losses and so on are chosen.
//
// The hosts are network namespaces of Linux without a name, the link is a TUN device
// in each and, in this process, one thread per direction that reads the IP packets of
// one device and writes them to the other in due time. So the packets are real and
// made by the kernel: a proxy could not lose a TCP segment, and tc-netem(8) is missing
// from many kernels. Nothing outlives the process, however it ends: no name, no bind
// mount, no device of the host is made. A process may have several links open at a time,
// which know nothing of each other: all have the same addresses.
//
//	program --- fg0 --> forwarder A to B --> fg0 --- program
//	   in A     TUN <-- forwarder B to A <-- TUN     in B
//
// A packet's way through one direction, in this order:
//
//	queue      dropped if the bytes not yet sent, its own included, would be over Queue
//	line       takes its size * 8 / Rate, after the packet before it; during a Squeeze
//	           by the rate of that, to the nanosecond at which it begins and ends
//	loss       gone, after it has taken its time on the line
//	delay      Delay ± Jitter, and never before the packet in front
//	reorder    a share is held back by Hold more, which lets others overtake
//	duplicate  a share arrives twice, the copy right behind
//
// Multicast goes from one host's fg0 to the other's as anything else does, and no
// further. There is no switch that would look at who has joined a group: all of it is
// carried, and the receiving kernel drops what nobody there has joined.
//
// Sizes are those of the IP packets, headers included; no Ethernet framing is added.
//
// What is the same for one seed: whether the k-th packet that a direction carries (from
// the opening of the link, whatever its size, protocol and time) is lost, duplicated or
// held back, and its jitter. It does not depend on what the queue drops, nor on the
// other direction, which draws for itself. So two transports meet the same pattern of
// losses, packet by packet, and a higher Loss of the same seed loses the same packets
// and more, as long as Burst is 1. What the kernel sends of its own accord (IGMP, MLD,
// router and neighbour discovery) is neither carried nor counted among the k.
//
// Parsing and the arithmetic are portable. Links are Linux only; elsewhere [Open]
// returns an error that matches [errors.ErrUnsupported].
package netlab

import "time"

// Hold is how much later a reordered packet arrives. Packets that are further apart
// do not overtake it: it is only late.
const Hold = time.Millisecond

// Stats are the counts of both directions since the link was opened.
type Stats struct{ AB, BA Counts }

// Counts are those of one direction. Always
// Packets + Duplicated = Delivered + Lost + TailDropped + Failed + Waiting.
type Counts struct {
	Packets, Bytes            uint64 // taken from the sender's device
	Delivered, DeliveredBytes uint64 // given to the receiver's device, copies included
	Lost                      uint64 // by Loss
	TailDropped               uint64 // by the full Queue
	Failed                    uint64 // the receiver's device took them not, or maxMemory was reached: the emulator's fault
	Duplicated                uint64 // second copies
	Reordered                 uint64 // held back
	Waiting                   uint64 // on the line or in the delay now
	Ignored                   uint64 // sent by the kernel of its own accord, not among Packets
	Missed                    uint64 // dropped at the sender's device because the forwarder was too slow, not among Packets
	QueueMax                  int    // the most that was queued, bytes

	// How true the emulator was to its own times: packets that were released more than
	// a millisecond after they were due, and the most of it.
	Late    uint64
	LateMax time.Duration
}
