package batch

import (
	"net"
	"testing"
	"time"
)

func TestZones(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	var z zones
	now := time.Now()
	for _, i := range all {
		if name, index := z.name(i.Index, now), z.index(i.Name, now); name != i.Name || index != i.Index {
			t.Errorf("interface %d %q: got %d %q", i.Index, i.Name, index, name)
		}
	}
	if got := z.name(987654, now); got != "987654" {
		t.Errorf("an interface that is not there is called %q, want its number", got)
	}
	if got := z.index("987654", now); got != 987654 {
		t.Errorf("a zone that is a number became %d", got)
	}
	if got := z.index("no-such-zone", now); got != 0 {
		t.Errorf("a zone that is not there became %d, want 0", got)
	}
}

// A name is believed for a minute, and no longer: interfaces may be named anew.
func TestZonesAreLookedUpAgain(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	now := time.Now()
	first := all[0]
	z := zones{at: now, names: map[int]string{first.Index: "former"}, indices: map[string]int{first.Name: 77}}
	if name, index := z.name(first.Index, now.Add(zoneAge-1)), z.index(first.Name, now.Add(zoneAge-1)); name != "former" || index != 77 {
		t.Errorf("before a minute is over: got %q and %d", name, index)
	}
	if name := z.name(first.Index, now.Add(zoneAge)); name != first.Name {
		t.Errorf("after a minute: got %q, want %q", name, first.Name)
	}
	if index := z.index(first.Name, now.Add(zoneAge)); index != first.Index {
		t.Errorf("after a minute: got %d, want %d", index, first.Index)
	}
}
