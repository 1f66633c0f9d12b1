// Package batch moves many datagrams with one system call.
//
// On Linux a Writer joins datagrams of one size to trains, each of which passes the
// network stack as one packet and is parted again by the interface or just before it
// (UDP_SEGMENT in udp(7)), and hands several trains to one sendmmsg(2). A Reader gets
// what arrived in trains the same way (UDP_GRO, recvmmsg(2)). What lies side by side in
// memory is one piece to the kernel, and in steady state neither allocates. Where the kernel, the
// interface or Config.NoOffload forbids trains, the same calls move single datagrams;
// on other systems each datagram is a call of its own. Nobody notices but by the time
// it takes.
//
// What a frame, a session or a destination is, is not known here.
package batch

import "log/slog"

// Config configures a Writer or a Reader. The zero value is usable.
type Config struct {
	NoOffload bool         // send and receive no trains
	Log       *slog.Logger // nil means discard
}

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}
