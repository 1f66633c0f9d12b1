package fragment

import "encoding/binary"

// Report tells a sender how its datagrams fare at one viewer, once a second and sooner when they fare worse. All
// counts run from the viewer's first datagram of the session; 32-bit ones wrap.
type Report struct {
	Common             // Session is the viewer's own
	Of          uint64 // the sender's session that is reported on
	Frame       uint32 // newest complete frame; while there is none, the newest of which a fragment came
	Shown       uint32 // frames handed to the display
	Lost        uint32 // frames that never became complete
	KernelDrops uint32 // datagrams dropped for want of room in the viewer's socket buffer
	Highest     uint64 // highest sequence received
	Received    uint64 // datagrams received, duplicates not counted
	Missing     uint64 // datagrams not received up to Highest
	Reordered   uint32 // datagrams that came after a later one
	Jitter      uint32 // µs, RFC 3550 section 6.4.1
	RTT         uint32 // µs of round trip, the least of the last seconds; 0 = not known
	Queueing    uint32 // µs of one-way delay above the least of the last seconds

	Complete uint32 // frames of the session that became complete; 0 = the viewer cannot show a picture yet
	Arrival  uint32 // kbit/s of IP packets at which the datagrams of a frame came, one behind the other, since the last report; 0 = not known
}

const reportLen = 72

// ReportLen is the length of a Report's datagram in bytes.
const ReportLen = CommonLen + reportLen

// AppendBinary implements encoding.BinaryAppender.
func (r *Report) AppendBinary(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint64(r.Common.append(b, TypeReport), r.Of)
	for _, v := range [...]uint32{r.Frame, r.Shown, r.Lost, r.KernelDrops} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	for _, v := range [...]uint64{r.Highest, r.Received, r.Missing} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	for _, v := range [...]uint32{r.Reordered, r.Jitter, r.RTT, r.Queueing, r.Complete, r.Arrival} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b, nil
}

// Parse reads b.
func (r *Report) Parse(b []byte) error {
	c, d, err := body(b, TypeReport, reportLen)
	if err != nil {
		return err
	}
	*r = Report{Common: c, Of: binary.BigEndian.Uint64(d)}
	for i, v := range [...]*uint32{&r.Frame, &r.Shown, &r.Lost, &r.KernelDrops} {
		*v = binary.BigEndian.Uint32(d[8+4*i:])
	}
	for i, v := range [...]*uint64{&r.Highest, &r.Received, &r.Missing} {
		*v = binary.BigEndian.Uint64(d[24+8*i:])
	}
	for i, v := range [...]*uint32{&r.Reordered, &r.Jitter, &r.RTT, &r.Queueing, &r.Complete, &r.Arrival} {
		*v = binary.BigEndian.Uint32(d[48+4*i:])
	}
	return nil
}
