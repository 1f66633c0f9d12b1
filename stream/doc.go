// Package stream says what flows through framegram and how: a [Frame] is one
// complete JPEG, a [Source] gives frames, a [Sink] takes them, and [Copy] moves
// them from one to the other as io.Copy moves bytes.
//
// # Freshness
//
// Nowhere may more than one frame wait. Between two stages that run at their own
// pace stands a [Mailbox] of depth one: a newer frame replaces the waiting one,
// and the replaced one is counted. Latency therefore cannot grow with time,
// whatever is slow.
//
// # Ownership of Frame.JPEG
//
// A frame is reference counted, and its bytes live until the last reference is
// released. The rules, held by every package:
//
//   - [Pool.Get], [NewFrame] and [Source.Next] give the caller one reference, and
//     the caller releases it exactly once.
//   - [Mailbox.Put] takes over the caller's reference; [Mailbox.Take] gives it on.
//   - [Sink.Write] borrows: the frame is valid until Write returns. A sink that
//     needs it longer calls [Frame.Retain] before it returns, and Release later.
//   - Whoever got the frame from Get may fill and reslice JPEG until it hands the
//     frame on. From then on nobody writes to it: several stages may be reading.
//
// Releasing a frame more often than it is held, or retaining one that nobody
// holds, panics. In builds with the race detector a released buffer is also
// overwritten and never used again, so that a reader that kept it sees rubbish
// in every test instead of another frame now and then.
//
// The package knows no codec, no socket and no device, and imports nothing of
// framegram's.
package stream
