package fragment

import "encoding/binary"

// Ping asks for the other side's clock. It carries 16 bytes of padding, so that
// the Pong is never larger than what asked for it.
type Ping struct {
	Common
	ID   uint32
	Sent int64 // t1: µs by the asker's clock, when it was sent
}

// Pong answers a Ping. With the time of its arrival as t4, the answerer's clock is
// ahead by ((t2-t1) + (t3-t4)) / 2, give or take half the round trip (t4-t1) - (t3-t2):
// the four timestamps of RFC 5905 section 8.
type Pong struct {
	Common
	ID       uint32
	Sent     int64 // t1, copied from the Ping
	Received int64 // t2: µs by the answerer's clock
	Answered int64 // t3: µs by the answerer's clock
}

const pongLen = 28 // after the common bytes, of Ping and Pong alike

// AppendBinary implements encoding.BinaryAppender.
func (p *Ping) AppendBinary(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(p.Common.append(b, TypePing), p.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Sent))
	return append(b, make([]byte, pongLen-12)...), nil
}

// Parse reads b.
func (p *Ping) Parse(b []byte) error {
	c, d, err := body(b, TypePing, pongLen)
	if err != nil {
		return err
	}
	*p = Ping{Common: c, ID: binary.BigEndian.Uint32(d), Sent: int64(binary.BigEndian.Uint64(d[4:]))}
	return nil
}

// AppendBinary implements encoding.BinaryAppender.
func (p *Pong) AppendBinary(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(p.Common.append(b, TypePong), p.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Sent))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Received))
	return binary.BigEndian.AppendUint64(b, uint64(p.Answered)), nil
}

// Parse reads b.
func (p *Pong) Parse(b []byte) error {
	c, d, err := body(b, TypePong, pongLen)
	if err != nil {
		return err
	}
	*p = Pong{
		Common:   c,
		ID:       binary.BigEndian.Uint32(d),
		Sent:     int64(binary.BigEndian.Uint64(d[4:])),
		Received: int64(binary.BigEndian.Uint64(d[12:])),
		Answered: int64(binary.BigEndian.Uint64(d[20:])),
	}
	return nil
}
