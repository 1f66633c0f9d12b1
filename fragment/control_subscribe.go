package fragment

import "encoding/binary"

// Hello asks to be served, or to stay served. A viewer sends it with Cookie 0
// first, then with the cookie it was challenged with, then once a second. It is
// never shorter than the Challenge it may be answered with: no amplification.
type Hello struct {
	Common           // Session is the viewer's own
	Cookie    uint64 // from the Challenge; 0 = not challenged yet
	MaxFrame  uint32 // largest frame taken, in bytes
	CanRepair bool   // understands parity and will ask for repairs
}

const helloLen = 20 // after the common bytes; 3 of them reserved, 4 padding

// AppendBinary implements encoding.BinaryAppender.
func (h *Hello) AppendBinary(b []byte) ([]byte, error) {
	b = h.Common.append(b, TypeHello)
	b = binary.BigEndian.AppendUint64(b, h.Cookie)
	b = binary.BigEndian.AppendUint32(b, h.MaxFrame)
	wants := byte(0)
	if h.CanRepair {
		wants = 1
	}
	return append(b, wants, 0, 0, 0, 0, 0, 0, 0), nil
}

// Parse reads b.
func (h *Hello) Parse(b []byte) error {
	c, d, err := body(b, TypeHello, helloLen)
	if err != nil {
		return err
	}
	*h = Hello{
		Common:    c,
		Cookie:    binary.BigEndian.Uint64(d),
		MaxFrame:  binary.BigEndian.Uint32(d[8:]),
		CanRepair: d[12]&1 != 0,
	}
	return nil
}

// Challenge answers a Hello that brought no valid cookie. The sender keeps no
// state for it: the cookie is a keyed hash of address, port and time window.
type Challenge struct {
	Common
	Cookie uint64
	Viewer uint64 // the Hello's session, so that a stray answer is recognised
}

// AppendBinary implements encoding.BinaryAppender.
func (c *Challenge) AppendBinary(b []byte) ([]byte, error) {
	b = c.Common.append(b, TypeChallenge)
	b = binary.BigEndian.AppendUint64(b, c.Cookie)
	return binary.BigEndian.AppendUint64(b, c.Viewer), nil
}

// Parse reads b.
func (c *Challenge) Parse(b []byte) error {
	common, d, err := body(b, TypeChallenge, 16)
	if err != nil {
		return err
	}
	*c = Challenge{Common: common, Cookie: binary.BigEndian.Uint64(d), Viewer: binary.BigEndian.Uint64(d[8:])}
	return nil
}

// Refuse answers a Hello with a valid cookie that is not served.
type Refuse struct {
	Common
	Reason RefuseReason
	Viewer uint64 // the Hello's session
}

// RefuseReason says why a viewer is not served.
type RefuseReason uint8

// The reasons of version 1.
const (
	RefuseFull    RefuseReason = 1 // as many viewers as the sender allows
	RefuseLimits  RefuseReason = 2 // the frames are larger than the viewer takes
	RefuseClosing RefuseReason = 3 // the sender is ending
)

// AppendBinary implements encoding.BinaryAppender.
func (r *Refuse) AppendBinary(b []byte) ([]byte, error) {
	b = append(r.Common.append(b, TypeRefuse), byte(r.Reason), 0, 0, 0)
	return binary.BigEndian.AppendUint64(b, r.Viewer), nil
}

// Parse reads b.
func (r *Refuse) Parse(b []byte) error {
	c, d, err := body(b, TypeRefuse, 12)
	if err != nil {
		return err
	}
	*r = Refuse{Common: c, Reason: RefuseReason(d[0]), Viewer: binary.BigEndian.Uint64(d[4:])}
	return nil
}

// Bye ends a session, from either side, at once instead of by silence.
type Bye struct {
	Common
	Reason ByeReason
}

// ByeReason says why a session ends.
type ByeReason uint8

// The reasons of version 1.
const (
	ByeLeaving ByeReason = 0 // stopped by its user
	ByeEnd     ByeReason = 1 // the source has ended
)

// AppendBinary implements encoding.BinaryAppender.
func (y *Bye) AppendBinary(b []byte) ([]byte, error) {
	return append(y.Common.append(b, TypeBye), byte(y.Reason), 0, 0, 0), nil
}

// Parse reads b.
func (y *Bye) Parse(b []byte) error {
	c, d, err := body(b, TypeBye, 4)
	if err != nil {
		return err
	}
	*y = Bye{Common: c, Reason: ByeReason(d[0])}
	return nil
}
