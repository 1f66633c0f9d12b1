package batch

import (
	"net"
	"strconv"
	"time"
)

// zoneAge is how long an interface's name is believed, as long as package net does:
// finding it takes several system calls and allocations.
const zoneAge = time.Minute

// zones know the interfaces that the scope of a link-local IPv6 address names (RFC 4007
// section 11). An interface without a name, as one that is gone, is named by its number.
type zones struct {
	at      time.Time // of the look
	names   map[int]string
	indices map[string]int
}

func (z *zones) name(index int, now time.Time) string {
	z.fresh(now)
	name, ok := z.names[index]
	if !ok {
		z.look(now)
		if name, ok = z.names[index]; !ok {
			name = strconv.Itoa(index)
		}
		z.names[index] = name
	}
	return name
}

// index is 0 for a zone that is not there.
func (z *zones) index(name string, now time.Time) int {
	z.fresh(now)
	index, ok := z.indices[name]
	if !ok {
		z.look(now)
		if index, ok = z.indices[name]; !ok {
			index, _ = strconv.Atoi(name)
		}
		z.indices[name] = index
	}
	return index
}

func (z *zones) fresh(now time.Time) {
	if z.names == nil || now.Sub(z.at) >= zoneAge {
		z.look(now)
	}
}

// look forgets all and reads the interfaces; what it cannot read stays unknown.
func (z *zones) look(now time.Time) {
	all, _ := net.Interfaces()
	z.at, z.names, z.indices = now, make(map[int]string, len(all)), make(map[string]int, len(all))
	for _, i := range all {
		z.names[i.Index], z.indices[i.Name] = i.Name, i.Index
	}
}
