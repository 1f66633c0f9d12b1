// Package udp carries frames over UDP: a [Sender] is a stream.Sink that cuts every
// frame once and sends it to any number of addresses, a [Receiver] a stream.Source
// that gives the frames that arrived whole.
//
// The wire is package fragment's; here are the sockets: batches of datagrams per
// system call, the datagram size that fits the path, buffers large enough for a
// burst, and what to do when the network is in trouble. Trouble is counted and
// logged at most once a second, and never ends a Sender or a Receiver.
//
// An address may be a multicast group or a broadcast address: then there is a
// destination, or a membership, on each of several interfaces, which may come and go
// while video runs (links.go, crowd.go, group.go). A Receiver asks the sender that it
// follows for its clock (pings.go), which the Sender answers (answer.go).
//
// It does not capture, encode, decode or show, and does not resolve names.
package udp
