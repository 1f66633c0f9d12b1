// Package bench tells which transport serves live video better: from the times that
// both ends noted for every frame, to statistics, to reports.
//
//	traces (a JSON line per frame)  →  Run  →  Analyse  →  Report  →  table, JSON, CSV, Markdown, HTML
//	                                   Run  →  InCell   →  Matrix  →  tables, JSON, Markdown, verdicts
//
// # What counts
//
// A frame is due whenever the schedule says so, at the asked rate over the measured
// span. What was due and never captured, sent or shown is late at every deadline: a
// transport gains nothing by leaving out what it would have delivered late, and a
// stall counts with all the frames that it swallowed, not with the one that ended it.
// Shares, and the percentiles called due, are of the frames due; the percentiles
// called latency are of the frames shown.
//
// A viewer over udp that asks for the stream (Point.Connect is "subscribe") has frames due
// from the start of its process on. All others have them due from the first frame that the
// sender sent, or in a [Matrix] from the first that it captured.
//
// Shown means decoded, with the timecode strip read back from the pixels: no screen.
//
// # Where the time goes
//
// Latency is captured → decoded, and splits without gap or overlap into
//
//	encode   captured → encoded
//	send     encoded → sent: all of the frame is handed to the kernel. Waiting, pacing
//	         and a full socket are here
//	network  sent → complete: the link, its queue, repairs; over tcp the kernel's own
//	         send buffer and its retransmissions, too
//	decode   complete → decoded, with the wait for the decoder
//
// On a fast link a frame can be complete before the system call that sent its end
// returns: then send ends there, and network is zero. The first byte received falls
// into send or network, as pacing has it, so it divides neither; it is given beside
// them, as first byte (captured → first) and arrival (first → complete).
package bench
