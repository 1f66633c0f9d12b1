package trial

// roster says which runs begin, so that those under way never weigh more than room together:
// what is measured should not be how busy the machine is. Runs begin in their order, and one
// that is too heavy for what room is left holds back those behind it. One that is heavier than
// the whole room runs alone.
type roster struct {
	weights []int
	room    int
	next    int // the first that has not begun
	used    int // by those under way
	ended   int // weight of those that are over
}

// begin is the run to begin now, if there is one.
func (r *roster) begin() (i int, ok bool) {
	if r.next == len(r.weights) || r.used > 0 && r.used+r.weights[r.next] > r.room {
		return 0, false
	}
	i = r.next
	r.next++
	r.used += r.weights[i]
	return i, true
}

// end is told that a run is over.
func (r *roster) end(i int) {
	r.used -= r.weights[i]
	r.ended += r.weights[i]
}

// stop has no more runs begin, and returns how many never will.
func (r *roster) stop() int {
	left := len(r.weights) - r.next
	r.weights = r.weights[:r.next]
	return left
}

// done is the share of the work that is over.
func (r *roster) done() float64 {
	all := 0
	for _, w := range r.weights {
		all += w
	}
	if all == 0 {
		return 0
	}
	return float64(r.ended) / float64(all)
}
