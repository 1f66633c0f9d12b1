// Package matroska writes and reads recordings: Matroska files (RFC 9559, on EBML,
// RFC 8794) with one video track of JPEGs, codec V_MJPEG. It does no more than that:
// no sound, no other codec, no editing; and no files, clocks or goroutines of its own.
//
// # What a Writer writes
//
//	EBML header
//	Segment                  size unknown until Close
//	├ SeekHead               a Void until Close
//	├ Info                   when it was recorded, by what; its Duration a Void until Close
//	├ Tracks                 one: V_MJPEG, with the size of the first picture
//	├ Cluster                Timestamp, SimpleBlock: one frame
//	├ Cluster …
//	└ Cues                   written by Close: where the Clusters of about every second are
//
// Each frame is a Cluster of its own, complete with its size, and reaches the file in
// one write. So at any moment the file is playable up to the last frame written,
// whatever becomes of its writer, and nothing has to be patched on the way. That
// costs about 22 bytes a frame. It also lifts the limit that a block's time within its
// Cluster has 16 bits: times count microseconds, which is how exactly a frame knows
// when it was captured (docs/PROTOCOL.md). FFmpeg too writes a Cluster for each frame
// when frames are large.
package matroska
