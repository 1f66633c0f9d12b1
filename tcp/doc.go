// Package tcp carries frames over TCP: a [Sender] is a stream.Sink that gives every frame
// to any number of viewers, a [Receiver] a stream.Source of the frames of one sender.
// Either of them dials, or listens, or (a Sender) both.
//
// The messages are package fragment's (docs/PROTOCOL.md, section 10); here are the
// connections: who they are, how long they may be silent, and above all how little may
// wait in them. TCP delivers everything, however late; so what is not to be late must not
// be handed to it. A sender therefore keeps one frame, the newest, and begins it on a
// connection only when that has all but emptied itself (see pressure in drain.go): a slow
// viewer skips frames, and no other notices.
//
// Trouble with a peer is counted and logged at most once a second, and never ends a
// Sender or a Receiver. Names are resolved anew each time one is dialled.
package tcp
