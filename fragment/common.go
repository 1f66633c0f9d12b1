package fragment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the major version of the wire spoken here. A viewer cannot read
// another one; what a minor version adds is skipped by its length field.
const Version = 1

// CommonLen is the length in bytes of what every datagram begins with.
const CommonLen = 20

// magic is "FG", the first two bytes of every datagram.
const magic = 0x4647

// Type says what a datagram is. The values are the low four bits of byte 2.
type Type uint8

// The types of version 1; docs/PROTOCOL.md, section 2.
const (
	TypeData      Type = 1
	TypeAnnounce  Type = 2
	TypeHello     Type = 3
	TypeChallenge Type = 4
	TypeReport    Type = 5
	TypeRepair    Type = 6
	TypePing      Type = 7
	TypePong      Type = 8
	TypeBye       Type = 9
	TypeRefuse    Type = 10
)

// Flag bits of byte 3. Bits 4 to 7 hold the generation (see Common.Generation).
const (
	FlagSealed uint8 = 1 << 0 // the last SealLen bytes are the AEAD's tag
	FlagRepair uint8 = 1 << 1 // a fragment sent again because a viewer asked
	FlagSlice  uint8 = 1 << 2 // this block starts a JPEG slice
)

// SealLen is the room in bytes that every datagram leaves for the AEAD's tag,
// used or not, so that switching sealing on moves nothing.
const SealLen = 16

// What is wrong with a datagram. They are bare values: a stranger's bad datagram
// must not cost an allocation.
var (
	ErrShort   = errors.New("fragment: datagram is shorter than its header")
	ErrMagic   = errors.New("fragment: not a framegram datagram")
	ErrVersion = errors.New("fragment: another version of the protocol")
	ErrType    = errors.New("fragment: another type of datagram")
	ErrSealed  = errors.New("fragment: a sealed message that has not been opened")
	ErrInvalid = errors.New("fragment: a field breaks a rule of docs/PROTOCOL.md")
)

// Common is what every datagram begins with.
type Common struct {
	Type     Type
	Flags    uint8
	Session  uint64 // random per sender start and destination
	Sequence uint64 // counts the session's datagrams from 0, never reused
}

// Generation counts, modulo 16, the changes of the JPEG's bytes before its first
// scan (tables and size): who holds another generation's must not use them.
func (c Common) Generation() uint8 { return c.Flags >> 4 }

// ParseCommon reads the first CommonLen bytes. On ErrVersion the other fields are
// not meaningful; VersionOf tells the version.
func ParseCommon(b []byte) (Common, error) {
	if len(b) < 3 || binary.BigEndian.Uint16(b) != magic {
		return Common{}, ErrMagic
	}
	if VersionOf(b) != Version {
		return Common{}, ErrVersion
	}
	if len(b) < CommonLen {
		return Common{}, ErrShort
	}
	return Common{
		Type:     Type(b[2] & 0x0f),
		Flags:    b[3],
		Session:  binary.BigEndian.Uint64(b[4:]),
		Sequence: binary.BigEndian.Uint64(b[12:]),
	}, nil
}

// VersionOf is the major version a framegram datagram of at least 3 bytes claims.
func VersionOf(b []byte) int { return int(b[2] >> 4) }

// append writes the common bytes with type t, which overrides c.Type.
func (c Common) append(b []byte, t Type) []byte {
	b = binary.BigEndian.AppendUint16(b, magic)
	b = append(b, Version<<4|byte(t), c.Flags)
	b = binary.BigEndian.AppendUint64(b, c.Session)
	return binary.BigEndian.AppendUint64(b, c.Sequence)
}

// body checks type and length of a control datagram and returns what follows the
// common bytes; more than size bytes are allowed, since a later minor version may
// have appended fields.
func body(b []byte, t Type, size int) (Common, []byte, error) {
	c, err := ParseCommon(b)
	switch {
	case err != nil:
		return c, nil, err
	case c.Type != t:
		return c, nil, ErrType
	case c.Flags&FlagSealed != 0:
		return c, nil, ErrSealed
	case len(b) < CommonLen+size:
		return c, nil, ErrShort
	}
	return c, b[CommonLen:], nil
}

func (t Type) String() string {
	names := [...]string{"?", "data", "announce", "hello", "challenge", "report", "repair", "ping", "pong", "bye", "refuse", "frame"}
	if int(t) < len(names) && t != 0 {
		return names[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}
