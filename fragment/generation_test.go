package fragment

import "testing"

// Every change has another number than the 14 before it, and none is 0, which says nothing.
func TestGenerationCountsChanges(t *testing.T) {
	var g Generation
	for i := range 40 {
		for range 3 {
			if got, want := g.Next([]byte{byte(i)}), uint8(i%15+1); got != want {
				t.Fatalf("change %d: %d, want %d", i, got, want)
			}
		}
	}
	if got := g.Next(nil); got != 0 {
		t.Errorf("nothing known: %d, want 0", got)
	}
	if got := g.Next([]byte{39}); got != 40-30 {
		t.Errorf("the same as before: %d, want 10", got)
	}
}

func TestSplitTellsTheGeneration(t *testing.T) {
	s, err := NewSplitter(64)
	if err != nil {
		t.Fatal(err)
	}
	s.SetGeneration(7)
	s.SetParity(ParityShare(0.5))
	all, err := s.Split(1, 2, make([]byte, 1000))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range all {
		var h Header
		if _, err := h.Parse(append(append([]byte{}, d.Header...), d.Payload...)); err != nil || h.Generation() != 7 {
			t.Fatalf("datagram %d: generation %d, %v", i, h.Generation(), err)
		}
	}
}
