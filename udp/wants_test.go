package udp

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/framegram/framegram/fragment"
)

// What is missing of a frame is asked for by the socket the frame comes to, and what is sent again makes it whole: gaps, and
// an end that nothing follows.
func TestReceiverAsksForWhatIsMissing(t *testing.T) {
	r := hearing(t, ReceiverConfig{Repair: true, Deadline: 5 * time.Second})
	g := newGiver(t, r.LocalAddr())
	g.send(frameOf(1))
	shown(t, r)
	for round, without := range [][]int{{3}, {1, 7, 8, 20}, {39}, {30, 31, 32, 33, 34, 35, 36, 37, 38, 39}} {
		f := pictureOf(40)
		g.send(f, without...)
		lacking := map[int]bool{}
		for _, i := range without {
			lacking[i] = true
		}
		for by := time.Now().Add(10 * time.Second); len(lacking) > 0; {
			ask, ok := g.next(by)
			if !ok {
				t.Fatalf("round %d: nobody asks for %v: %+v", round, lacking, r.Stats().Fragments)
			}
			if ask.Of != g.session || ask.Frame != g.id || len(ask.Missing) != 1 || ask.Missing[0].Block != 0 {
				t.Fatalf("round %d: %+v", round, ask)
			}
			for i := range 256 {
				if ask.Missing[0].Bits[i/8]>>(i%8)&1 != 0 {
					delete(lacking, i) // what is merely late is asked for, too, where the machine is busy
				}
			}
			g.answer(ask)
		}
		if got := shown(t, r); !bytes.Equal(got, f.JPEG) {
			t.Fatalf("round %d: another frame is shown", round)
		}
	}
	c := r.Stats().Fragments
	if c.Complete != 5 || c.Repaired != 4 || c.Asked.Requests < 4 || c.Asked.Answered < 16 || c.Bytes.Again == 0 {
		t.Errorf("%+v", c)
	}
	if sum := c.Bytes.Sum(); sum != r.Stats().Bytes {
		t.Errorf("%d bytes are accounted for of %d", sum, r.Stats().Bytes)
	}
}

// Who is not told to ask does not.
func TestReceiverAsksOnlyIfTold(t *testing.T) {
	r := hearing(t, ReceiverConfig{Deadline: time.Second})
	g := newGiver(t, r.LocalAddr())
	g.send(frameOf(1))
	shown(t, r)
	g.send(pictureOf(40), 3, 39)
	if ask, ok := g.next(time.Now().Add(300 * time.Millisecond)); ok {
		t.Errorf("asked for %+v", ask)
	}
	if c := r.Stats().Fragments; c.Asked != (fragment.Asked{}) {
		t.Errorf("%+v", c.Asked)
	}
}

func TestDeadlineIsChecked(t *testing.T) {
	for _, d := range []time.Duration{-1, 10*time.Second + 1} {
		_, err := Listen(ReceiverConfig{Listen: ap("127.0.0.1:0"), Deadline: d})
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != "deadline" {
			t.Errorf("%v: %v", d, err)
		}
	}
	hearing(t, ReceiverConfig{Deadline: 10 * time.Second})
}
