package trial

import (
	"slices"
	"testing"
)

// play runs a roster by the rule that of those under way the one that began first ends first, and
// returns how they began: what was under way at each begin.
func play(t *testing.T, r *roster) (began [][]int) {
	t.Helper()
	var under []int
	for {
		for i, ok := r.begin(); ok; i, ok = r.begin() {
			under = append(under, i)
			began = append(began, slices.Clone(under))
			weight := 0
			for _, u := range under {
				weight += r.weights[u]
			}
			if weight > r.room && len(under) > 1 {
				t.Errorf("%v weigh %d together, more than %d", under, weight, r.room)
			}
			if weight != r.used {
				t.Errorf("%v weigh %d, and it counts %d", under, weight, r.used)
			}
		}
		if len(under) == 0 {
			return began
		}
		r.end(under[0])
		under = under[1:]
	}
}

// Small runs go on together, and heavy ones alone. All begin in their order.
func TestRosterFillsItsRoom(t *testing.T) {
	for name, c := range map[string]struct {
		room    int
		weights []int
		want    [][]int
	}{
		"one at a time": {1, []int{1, 3, 1}, [][]int{{0}, {1}, {2}}},
		"small ones":    {3, []int{1, 1, 1, 1}, [][]int{{0}, {0, 1}, {0, 1, 2}, {1, 2, 3}}},
		"two of 1080p60, then one of 2160p30, then small ones": {
			6, []int{3, 3, 3, 6, 1, 1}, [][]int{{0}, {0, 1}, {1, 2}, {3}, {4}, {4, 5}},
		},
		"one that waits holds back those behind it": {6, []int{1, 6, 1}, [][]int{{0}, {1}, {2}}},
		"heavier than all there is":                 {6, []int{1, 12, 12, 1}, [][]int{{0}, {1}, {2}, {3}}},
		"none":                                      {6, nil, nil},
	} {
		got := play(t, &roster{weights: c.weights, room: c.room})
		if !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// How far it has come goes by weight. Who stops it hears what will not begin, and what has begun
// goes on.
func TestRosterTellsWhatIsLeft(t *testing.T) {
	r := &roster{weights: []int{1, 1, 6, 6}, room: 6}
	if r.done() != 0 {
		t.Errorf("%v is over at first", r.done())
	}
	r.begin()
	r.begin()
	r.end(1)
	r.end(0)
	if got := r.done(); got != 2./14 {
		t.Errorf("%v of it is over, want 2 of 14", got)
	}
	if i, ok := r.begin(); i != 2 || !ok {
		t.Errorf("begins %d, %v", i, ok)
	}
	if left := r.stop(); left != 1 {
		t.Errorf("%d are left, want 1", left)
	}
	r.end(2)
	if i, ok := r.begin(); ok {
		t.Errorf("%d begins after the stop", i)
	}
	if r.stop() != 0 || r.done() != 1 || (&roster{}).done() != 0 {
		t.Errorf("in the end %v is over", r.done())
	}
}
