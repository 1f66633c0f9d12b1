// Package fragment is framegram's wire: it cuts one encoded frame into datagrams
// and puts frames back together by frame ID. docs/PROTOCOL.md is the authority on
// every byte; its hex examples are this package's golden tests.
//
//	Splitter     a frame -> datagrams of a 48-byte header and a piece of the frame,
//	             side by side in memory, and parity if asked for (Reed-Solomon in its Leopard form)
//	Header       the data datagram's header, with AppendBinary and Parse
//	Announce ... the control messages, one type each, the same two methods
//	FrameHeader  a whole frame's header, where messages come in a stream (TCP)
//	Reassembler  datagrams -> complete frames, rebuilt from parity where data is
//	             lost: bounded, without allocation per datagram, every drop counted
//	             under one reason
//
// It does no I/O, starts no goroutine and reads no clock: bytes, addresses and
// times are passed in, so that every rule in it is tested and fuzzed without a
// network.
package fragment
