//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/matroska"
)

// With 1 % of the datagrams lost and nothing done about it, a viewer that conceals shows every frame
// from the first whole one on: what came of it as it was sent, the other strips from the frame before,
// which is nearer to the truth than that frame again. A viewer beside it that does not conceal shows
// none but whole ones. With 5 % lost and repair, concealment leaves nothing out either.
func TestConceal(t *testing.T) {
	dir := t.TempDir()
	source := []string{"--source", clipPath(t), "--size", "1280x720", "--slices", "16", "--frames", "120", "--bitrate", "off", "--offload", "off"}

	lossy, repaired := newCable(t, 1500), newCable(t, 1500)
	lossy.hosts[1].lose(1)
	repaired.hosts[1].lose(5)
	conceal := lossy.hosts[1].run("view", "--listen", ":5600", "--display", "images:"+filepath.Join(dir, "conceal"), "--repair", "none", "--on-loss", "conceal")
	drop := lossy.hosts[1].run("view", "--listen", ":5601", "--display", "images:"+filepath.Join(dir, "drop"), "--repair", "none")
	both := repaired.hosts[1].run("view", "--display", "none", "--on-loss", "conceal")
	for _, v := range []*program{conceal, drop, both} {
		v.listening()
	}
	recording := filepath.Join(dir, "sent.mkv")
	senders := []*program{
		lossy.hosts[0].run(append([]string{"send", "--to", "10.77.0.2:5600", "--to", "10.77.0.2:5601", "--repair", "none", "--record", recording}, source...)...),
		repaired.hosts[0].run(append([]string{"send", "--to", "10.77.0.2"}, source...)...),
	}
	var sent [2]uint64
	for i, s := range senders {
		sent[i] = s.finish().Send.Frames.Sent
	}
	for _, v := range []*program{conceal, drop, both} {
		v.interrupt()
	}

	f := both.finish().View
	t.Logf("5 %%, repair auto: sent %d, shown %d, overtaken on the way to the display %d, lost %d; %+v", sent[1], f.Frames.Shown, f.Frames.Skipped, f.Frames.Lost, *f.Conceal)
	if 10*f.Frames.Lost > sent[1] || 2*f.Frames.Shown < sent[1] {
		t.Errorf("with repair %d frames of %d were shown, %d are lost", f.Frames.Shown, sent[1], f.Frames.Lost)
	}

	truth := recorded(t, recording)
	f = conceal.finish().View
	c := compare(t, truth, filepath.Join(dir, "conceal"))
	t.Logf("1 %%, conceal: sent %d, shown %d, overtaken %d; %d whole, %+v; given up %v", sent[0], f.Frames.Shown, f.Frames.Skipped, c.whole, *f.Conceal, f.UDP.Fragments.Incomplete)
	t.Logf("PSNR of the %d concealed: mean %.1f dB, least %.1f; of the frames before them: mean %.1f; of the whole run: %.1f",
		len(c.concealed), mean(c.concealed), slices.Min(c.concealed), mean(c.before), c.run())
	// On a machine that stands still for some 10 ms, frames come all at once or are cut in two. Such a
	// frame may be overtaken by others, or lack more than half. (A third of all is not whole.)
	known := f.Frames.Skipped + f.UDP.Fragments.Incomplete["superseded"] + f.UDP.Fragments.Incomplete["evicted"] + f.Conceal.Dropped["missing"]
	if uint64(c.gaps) > known || 10*c.gaps > len(truth) || 2*f.Frames.Shown < sent[0] {
		t.Errorf("%d of %d frames shown, %d left out among them, %d of these accounted for", f.Frames.Shown, sent[0], c.gaps, known)
	}
	if 10*len(c.concealed) < len(truth) || uint64(len(c.concealed)) > f.Conceal.Filled || f.Conceal.Strips < f.Conceal.Filled {
		t.Errorf("%d frames are not as sent, of %d; %+v", len(c.concealed), len(truth), *f.Conceal)
	}
	if mean(c.concealed) <= mean(c.before) {
		t.Errorf("concealed frames have %.1f dB, those before them %.1f", mean(c.concealed), mean(c.before))
	}

	f = drop.finish().View
	d := compare(t, truth, filepath.Join(dir, "drop"))
	t.Logf("1 %%, drop: shown %d of %d", f.Frames.Shown, sent[0])
	if len(d.concealed) > 0 || d.whole == 0 || 10*d.whole > 9*len(truth) || uint64(d.whole) != f.Frames.Shown || f.Conceal != nil {
		t.Errorf("without: %d pictures as sent, %d others, %d shown; %+v", d.whole, len(d.concealed), f.Frames.Shown, f.Conceal)
	}
}

// recorded are the JPEGs of a recording.
func recorded(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := matroska.NewReader(file, 1<<24)
	for err == nil {
		var jpeg []byte
		if jpeg, _, err = r.Next(nil); err == nil {
			all = append(all, jpeg)
		}
	}
	if !errors.Is(err, io.EOF) || len(all) == 0 {
		t.Fatalf("%s: %d frames, %v", path, len(all), err)
	}
	return all
}

// comparison is what a viewer has shown, held against what was sent.
type comparison struct {
	whole     int       // pictures that are as sent
	concealed []float64 // PSNR of the others, dB
	before    []float64 // of the frames sent before these, had they been shown again
	gaps      int       // frames left out between the first and the last that was shown
}

// compare finds out which frame of the sent ones each picture is: it shares at least half of its
// strips with it, and more with none.
func compare(t *testing.T, truth [][]byte, dir string) (c comparison) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	next := 0
	for i, name := range files {
		shown, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at, most := next, -1
		for j := next; j < len(truth); j++ {
			if n := common(t, shown, truth[j]); n > most {
				at, most = j, n
			}
		}
		if 2*most < 16 {
			t.Fatalf("%s has no more than %d strips of any frame from %d on", name, most, next)
		}
		if i > 0 {
			c.gaps += at - next
		}
		next = at + 1
		if bytes.Equal(shown, truth[at]) {
			c.whole++
			continue
		}
		want := decoded(t, d, truth[at])
		c.concealed = append(c.concealed, psnr(decoded(t, d, shown), want))
		c.before = append(c.before, psnr(decoded(t, d, truth[max(at-1, 0)]), want))
	}
	return c
}

// run is the PSNR of all that was shown, by the mean square of all errors.
func (c *comparison) run() float64 {
	var sum float64
	for _, db := range c.concealed {
		sum += math.Pow(10, -db/10)
	}
	return -10 * math.Log10(sum/float64(c.whole+len(c.concealed)))
}

func mean(all []float64) (m float64) {
	for _, v := range all {
		m += v / float64(len(all))
	}
	return m
}

// decoded are the pixels of a JPEG.
func decoded(t *testing.T, d *codec.Decoder, jpeg []byte) []byte {
	t.Helper()
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		t.Fatal(err)
	}
	p := codec.ReuseBGR(nil, h.Width, h.Height)
	if err := d.DecodeBGR(p, jpeg); err != nil {
		t.Fatal(err)
	}
	return p.Pix
}

// common is how many strips two JPEGs share.
func common(t *testing.T, a, b []byte) (n int) {
	t.Helper()
	var s, e codec.Strips
	if err := errors.Join(s.Find(a), e.Find(b)); err != nil {
		t.Fatal(err)
	}
	for i := range min(s.Len(), e.Len()) {
		if bytes.Equal(s.Piece(i), e.Piece(i)) {
			n++
		}
	}
	return n
}
