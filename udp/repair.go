package udp

import "fmt"

// Repair is what is done about datagrams that are lost on the way.
type Repair uint8

const (
	RepairNone Repair = iota // nothing
	RepairFEC                // parity of a fixed share, from which viewers rebuild what is lost
	RepairNACK               // what viewers ask for is sent again
	RepairAuto               // both, as far as the loss that viewers report and the round trip call for it
)

var repairs = [...]string{RepairNone: "none", RepairFEC: "fec", RepairNACK: "nack", RepairAuto: "auto"}

// String is what ParseRepair reads.
func (r Repair) String() string {
	if int(r) < len(repairs) {
		return repairs[r]
	}
	return fmt.Sprintf("Repair(%d)", uint8(r))
}

// ParseRepair reads none, fec, nack or auto.
func ParseRepair(text string) (Repair, error) {
	for r, name := range repairs {
		if text == name {
			return Repair(r), nil
		}
	}
	return 0, fmt.Errorf("udp: repair is %q, want none, fec, nack or auto", text)
}
