// Package pace spreads what is sent over time, so that a burst does not overflow a shallow
// queue on the way: how fast an interface's link is ([LinkSpeed]), when the next few datagrams
// may leave by it ([Lane], [Rhythm]), and how to wait for that moment exactly ([Waiter]). It
// sends nothing itself.
//
// The kernel could do the waiting, if the interface's queueing discipline were fq (for
// SO_MAX_PACING_RATE) or etf (for SO_TXTIME). Few are, nobody can see it from the socket, and the
// kernel all this was measured on has neither (tc says "Specified qdisc kind is unknown"). There, setsockopt
// takes both options and they do nothing: at SO_MAX_PACING_RATE of 1 MB/s, 280 kB went over loopback in 0.8 ms
// and over a veth in 1.2 ms, and a datagram with a departure time 50 ms off arrived at once.
// So neither is used: it could not be told from no pacing at all.
package pace
