// Package udp carries frames over UDP: a [Sender] is a stream.Sink that cuts every
// frame once and sends it to any number of addresses, a [Receiver] a stream.Source
// that gives the frames that arrived whole.
//
// The wire is package fragment's; here are the sockets: batches of datagrams per
// system call, the datagram size that fits the path, buffers large enough for a
// burst, and what to do when the network is in trouble. Trouble is counted and
// logged at most once a second, and never ends a Sender or a Receiver.
//
// It does not capture, encode, decode or show, and does not resolve names.
package udp
