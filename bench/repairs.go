package bench

import "math"

// Repairs are what both ends of a run over udp counted of losses and their repair,
// warm-up included.
type Repairs struct {
	AtOnce   uint64 `json:"at_once"`  // frames whole without help
	Rebuilt  uint64 `json:"rebuilt"`  // with the help of parity
	Repaired uint64 `json:"repaired"` // with the help of datagrams sent again, and perhaps of parity
	GivenUp  uint64 `json:"given_up"` // not whole

	Missing     uint64 `json:"missing"`      // datagrams that the viewer missed, repairs and parity among them
	Resent      uint64 `json:"resent"`       // datagrams that the sender sent again
	ResentBytes uint64 `json:"resent_bytes"` // of UDP payload in those
	Refused     uint64 `json:"refused"`      // fragments asked for that its budget did not allow
	Gone        uint64 `json:"gone"`         // fragments asked for that it had no longer
}

func (r *Repairs) add(o *Repairs) {
	r.AtOnce += o.AtOnce
	r.Rebuilt += o.Rebuilt
	r.Repaired += o.Repaired
	r.GivenUp += o.GivenUp
	r.Missing += o.Missing
	r.Resent += o.Resent
	r.ResentBytes += o.ResentBytes
	r.Refused += o.Refused
	r.Gone += o.Gone
}

// repairTable tells how frames became whole, of all runs of a point together. It has no
// rows when nothing was missing anywhere.
func repairTable(groups [][]*Summary) plainTable {
	t := plainTable{
		title: "How frames became whole over udp",
		note:  "in % of those sent, all runs with their warm-up together; resent: datagrams sent again, per frame",
		head:  []string{placeHead(groups), "transport", "at once", "rebuilt", "repaired", "given up", "resent", "refused"},
	}
	lossy := false
	for _, group := range groups {
		where := plain(swept(group[0]))
		for _, s := range group {
			var sum Repairs
			known := false
			for _, run := range s.runs {
				if run.Repairs != nil {
					sum.add(run.Repairs)
					known = true
				}
			}
			if !known {
				continue
			}
			all := float64(sum.AtOnce + sum.Rebuilt + sum.Repaired + sum.GivenUp)
			share := func(n uint64) string { return percent(float64(n) / all) } // – of nothing
			t.rows = append(t.rows, []string{where, s.Name(), share(sum.AtOnce), share(sum.Rebuilt), share(sum.Repaired), share(sum.GivenUp),
				short(float64(sum.Resent) / math.Max(all, 1)), number(int(sum.Refused))})
			where = ""
			lossy = lossy || sum.Rebuilt+sum.Repaired+sum.GivenUp+sum.Resent > 0
		}
	}
	if !lossy {
		t.rows = nil
	}
	return t
}
