package bench

import (
	"testing"
	"time"
)

func TestCellsAreAllCombinations(t *testing.T) {
	small, large := Picture{320, 240, 10}, Picture{1280, 720, 30}
	queues := []Queue{{Time: 20 * time.Millisecond}, {Bytes: 64000}}
	got := Cells([]Picture{small, large}, []int64{1e6, 1e9}, queues, []float64{0, 0.3})
	if len(got) != 16 {
		t.Fatalf("%d cells, want 16", len(got))
	}
	for i, want := range map[int]string{
		0:  "320x240@10, 1mbit, queue 20ms, loss 0%",
		1:  "320x240@10, 1mbit, queue 20ms, loss 30%",
		2:  "320x240@10, 1mbit, queue 64kB, loss 0%",
		4:  "320x240@10, 1gbit, queue 20ms, loss 0%",
		15: "1280x720@30, 1gbit, queue 64kB, loss 30%",
	} {
		if got[i].String() != want {
			t.Errorf("cell %d is %v, want %s", i, got[i], want)
		}
	}
}

// Two cores carry one run of 2160p30, two of 1080p60, or six of small pictures.
func TestWeights(t *testing.T) {
	for text, want := range map[string]int{
		"320x240@10": 1, "1280x720@30": 1, "1280x720@60": 2, "1920x1080@60": 3, "3840x2160@30": 6, "3840x2160@60": 12,
	} {
		p, err := ParsePicture(text)
		if err != nil || p.Weight() != want {
			t.Errorf("%s weighs %d, %v, want %d", text, p.Weight(), err, want)
		}
	}
	for cores, want := range map[int]int{1: 3, 2: 6, 16: 48, 0: 1} {
		if got := MachineWeight(cores); got != want {
			t.Errorf("%d cores carry %d, want %d", cores, got, want)
		}
	}
}

func TestParsePicture(t *testing.T) {
	for text, want := range map[string]Picture{"320x240@10": {320, 240, 10}, "1920X1080@59.94": {1920, 1080, 59.94}} {
		if got, err := ParsePicture(text); got != want || err != nil {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "320x240", "320@10", "320x240@", "320x240@0", "320x240@1001", "15x240@10", "320x8193@10", "-320x240@10",
		"320x240@10fps", "a",
	} {
		if got, err := ParsePicture(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// A time is what the rate carries in it. A packet finds room in any queue.
func TestQueues(t *testing.T) {
	for _, c := range []struct {
		text string
		rate int64
		want int
	}{
		{"20ms", 1e6, 2500}, {"20ms", 1e9, 2_500_000}, {"20ms", 100_000, 1500}, {"10s", 10e9, 1e9},
		{"64kB", 1e6, 64_000}, {"64kB", 1e9, 64_000}, {"1B", 1e6, 1500},
	} {
		q, err := ParseQueue(c.text)
		if got := q.Of(c.rate, 1500); err != nil || got != c.want || q.String() != c.text {
			t.Errorf("%s at %d bit/s is %d, %v, called %v, want %d", c.text, c.rate, got, err, q, c.want)
		}
	}
	for _, text := range []string{"", "0", "0ms", "0kB", "20", "11s", "1001MB", "-1kB", "64kbit"} {
		if q, err := ParseQueue(text); err == nil {
			t.Errorf("%q is %v", text, q)
		}
	}
}
