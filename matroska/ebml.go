package matroska

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Element IDs of RFC 8794 section 11 and RFC 9559 section 5, with their length marker.
const (
	idEBML            = 0x1A45DFA3
	idReadVersion     = 0x42F7
	idMaxIDLength     = 0x42F2
	idMaxSizeLength   = 0x42F3
	idDocType         = 0x4282
	idDocVersion      = 0x4287
	idDocReadVersion  = 0x4285
	idVersion         = 0x4286
	idVoid            = 0xEC
	idCRC32           = 0xBF
	idSegment         = 0x18538067
	idSeekHead        = 0x114D9B74
	idSeek            = 0x4DBB
	idSeekID          = 0x53AB
	idSeekPosition    = 0x53AC
	idInfo            = 0x1549A966
	idTimestampScale  = 0x2AD7B1
	idDuration        = 0x4489
	idDateUTC         = 0x4461
	idMuxingApp       = 0x4D80
	idWritingApp      = 0x5741
	idTracks          = 0x1654AE6B
	idTrackEntry      = 0xAE
	idTrackNumber     = 0xD7
	idTrackUID        = 0x73C5
	idTrackType       = 0x83
	idFlagLacing      = 0x9C
	idCodecID         = 0x86
	idDefaultDuration = 0x23E383
	idVideo           = 0xE0
	idPixelWidth      = 0xB0
	idPixelHeight     = 0xBA
	idEncodings       = 0x6D80
	idEncoding        = 0x6240
	idEncodingScope   = 0x5032
	idEncodingType    = 0x5033
	idCompression     = 0x5034
	idCompAlgo        = 0x4254
	idCompSettings    = 0x4255
	idCluster         = 0x1F43B675
	idTimestamp       = 0xE7
	idSimpleBlock     = 0xA3
	idBlockGroup      = 0xA0
	idBlock           = 0xA1
	idCues            = 0x1C53BB6B
	idCuePoint        = 0xBB
	idCueTime         = 0xB3
	idCueTracks       = 0xB7
	idCueTrack        = 0xF7
	idCuePosition     = 0xF1
	idTags            = 0x1254C367
	idAttachments     = 0x1941A469
	idChapters        = 0x1043A770
)

// sizeUnknown is what parses as the size of an element whose end only its successor
// tells (RFC 8794 section 6.2).
const sizeUnknown = math.MaxUint64

// appendID appends an element ID, which carries its own length marker.
func appendID(b []byte, id uint32) []byte {
	for n := (bits.Len32(id) - 1) / 8; n >= 0; n-- {
		b = append(b, byte(id>>(8*n)))
	}
	return b
}

// sizeLen is how many bytes appendSize takes. All ones would mean an unknown size.
func sizeLen(size uint64) int {
	n := 1
	for size >= 1<<(7*n)-1 {
		n++
	}
	return n
}

// appendSize appends an element's size, less than 2^56-1 bytes, as short as it can be.
func appendSize(b []byte, size uint64) []byte { return appendVint(b, size, sizeLen(size)) }

// appendVint appends v in n bytes, 1..8 (RFC 8794 section 4).
func appendVint(b []byte, v uint64, n int) []byte {
	v |= 1 << (7 * n)
	for n--; n >= 0; n-- {
		b = append(b, byte(v>>(8*n)))
	}
	return b
}

// uintLen is how many bytes appendUint takes for v, with the ID and the size.
func uintLen(id uint32, v uint64) int { return idLen(id) + 1 + valueLen(v) }

func idLen(id uint32) int   { return (bits.Len32(id) + 7) / 8 }
func valueLen(v uint64) int { return max(1, (bits.Len64(v)+7)/8) }
func elementLen(id uint32, size uint64) uint64 {
	return uint64(idLen(id)+sizeLen(size)) + size
}

// appendUint appends a whole element of type unsigned integer.
func appendUint(b []byte, id uint32, v uint64) []byte {
	n := valueLen(v)
	b = appendSize(appendID(b, id), uint64(n))
	for n--; n >= 0; n-- {
		b = append(b, byte(v>>(8*n)))
	}
	return b
}

// appendUint64 is appendUint in eight bytes: for a type that wants them (a date), or a
// length that must be known before the value.
func appendUint64(b []byte, id uint32, v uint64) []byte {
	return binary.BigEndian.AppendUint64(appendSize(appendID(b, id), 8), v)
}

// appendBytes appends a whole element of type binary or string, or a master whose
// content is at hand.
func appendBytes[T []byte | string](b []byte, id uint32, content T) []byte {
	return append(appendSize(appendID(b, id), uint64(len(content))), content...)
}

// appendVoid appends a Void element of n bytes altogether, 2..127.
func appendVoid(b []byte, n int) []byte {
	return append(appendSize(appendID(b, idVoid), uint64(n-2)), make([]byte, n-2)...)
}
