package capture

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/framegram/framegram/codec"
	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// script is a Rate that does what it is told.
type script struct {
	set   rate.Setting
	skip  func(n int) bool // of picture n
	again *rate.Setting    // for the first encoding of each picture

	pictures []rate.Picture
	made     []int
	passed   []int
}

func (s *script) Next(_ time.Time, p rate.Picture) (rate.Setting, bool) {
	s.pictures = append(s.pictures, p)
	return s.set, s.skip == nil || !s.skip(len(s.pictures)-1)
}

func (s *script) Made(_ time.Time, _ rate.Picture, set rate.Setting, bytes int) (rate.Setting, bool) {
	s.made = append(s.made, bytes)
	if s.again != nil && set != *s.again {
		return *s.again, true
	}
	return set, false
}

func (s *script) Pass(_ time.Time, bytes int) bool {
	s.passed = append(s.passed, bytes)
	return s.skip == nil || !s.skip(len(s.passed)-1)
}

func TestSettingIsTakenForEachPicture(t *testing.T) {
	r := &script{set: rate.Setting{Quality: 80, Scale: 100, Every: 1}}
	s := mustOpen(t, Config{Rate: r, FPS: 500})
	full := mustNext(t, s)
	r.set = rate.Setting{Quality: 40, Scale: 100, Every: 1}
	coarse := mustNext(t, s)
	r.set.Scale = 75
	small := mustNext(t, s)
	r.set.Scale = 25
	least := mustNext(t, s)
	r.set = rate.Setting{Quality: 80, Scale: 100, Every: 1}
	back := mustNext(t, s)
	if full.size != DefaultSize || coarse.size != DefaultSize || small.size != image.Pt(960, 540) || least.size != image.Pt(320, 180) || back.size != DefaultSize {
		t.Errorf("sizes %v %v %v %v %v", full.size, coarse.size, small.size, least.size, back.size)
	}
	if !(len(full.jpeg) > len(coarse.jpeg)*5/4 && len(coarse.jpeg) > len(small.jpeg) && len(small.jpeg) > len(least.jpeg)) {
		t.Errorf("bytes %d %d %d %d", len(full.jpeg), len(coarse.jpeg), len(small.jpeg), len(least.jpeg))
	}
	// The strip can be read at every size.
	for _, f := range []shot{full, coarse, small, least, back} {
		code, err := timecode.Read(decode(t, f.jpeg))
		if err != nil || code.ID != f.id {
			t.Errorf("%v: strip of %d: %v, %v", f.size, f.id, code, err)
		}
	}
	for i, p := range r.pictures {
		if p != (rate.Picture{Width: 1280, Height: 720, Least: 23}) {
			t.Errorf("picture %d is told as %+v", i, p)
		}
	}
	if len(r.made) != 5 || r.made[0] != len(full.jpeg) || r.made[4] != len(back.jpeg) {
		t.Errorf("told %v", r.made)
	}
}

func mustNext(t *testing.T, s stream.Source) shot {
	t.Helper()
	f, err := nextShot(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPictureLeftOutIsCounted(t *testing.T) {
	r := &script{set: rate.Setting{Quality: 80, Scale: 100, Every: 2}, skip: func(n int) bool { return n%2 == 1 }}
	s := mustOpen(t, Config{Rate: r, FPS: 500, Size: image.Pt(320, 240)})
	first, second := mustNext(t, s), mustNext(t, s)
	if second.id < first.id+2 || stats(s).Thinned != 1 {
		t.Errorf("pictures %d and %d, %+v", first.id, second.id, stats(s))
	}
	balanced(t, s, 2)
}

func TestPictureEncodedOnceMoreIsTheSmallerOne(t *testing.T) {
	r := &script{set: rate.Setting{Quality: 90, Scale: 100, Every: 1}, again: &rate.Setting{Quality: 30, Scale: 100, Every: 1}}
	f := mustNext(t, mustOpen(t, Config{Rate: r, Size: image.Pt(640, 480)}))
	if len(r.made) != 2 || r.made[1] != len(f.jpeg) || r.made[0] < 2*r.made[1] {
		t.Errorf("told %v of a picture of %d bytes", r.made, len(f.jpeg))
	}
	decode(t, f.jpeg)
}

// Packed pixels are scaled as planar ones are.
func TestPackedPictureIsReduced(t *testing.T) {
	img := codec.NewBGR(image.Rect(0, 0, 640, 480))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	r := &script{set: rate.Setting{Quality: 90, Scale: 50, Every: 1}}
	s := mustOpen(t, Config{Source: "-", Format: "bgr24", Size: image.Pt(640, 480), Stdin: bytes.NewReader(img.Pix), Rate: r})
	f := mustNext(t, s)
	if luma, _, _ := colour(decode(t, f.jpeg)); f.size != image.Pt(320, 240) || !near(luma, 200, 3) {
		t.Errorf("%v, luma %d", f.size, luma)
	}
}

func TestLeastScaleKeepsTheStrip(t *testing.T) {
	for size, want := range map[image.Point]int{
		{1280, 720}: 23, {1920, 1080}: 15, {640, 360}: 45, {192, 160}: 100, {100, 100}: 100, {384, 320}: 50,
	} {
		least := leastScale(size)
		if least != want {
			t.Errorf("%v: least is %d %%, want %d", size, least, want)
		}
		for _, scale := range []int{75, 50, 25} {
			if r := reduced(size, scale); scale >= least && (r.X < timecode.MinWidth || r.Y < timecode.MinHeight) {
				t.Errorf("%v at %d %% is %v: too small", size, scale, r)
			}
		}
	}
}

// JPEGs pass as they are, or not at all.
func TestFinishedJPEGsAreOnlyLeftOut(t *testing.T) {
	dir := t.TempDir()
	all := greys(t, 6, 64, 48)
	for i, jpeg := range all {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".jpg"), jpeg, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := &script{skip: func(n int) bool { return n == 1 || n == 2 }}
	s := mustOpen(t, Config{Source: "images:" + dir, FPS: 50, Rate: r})
	n := 0
	for ; ; n++ {
		f, err := nextShot(t.Context(), s)
		if err != nil {
			break
		}
		if !bytes.Equal(f.jpeg, all[f.id]) || f.id == 1 || f.id == 2 {
			t.Errorf("frame %d is not as it was, or should have been left out", f.id)
		}
	}
	if n < 1 || stats(s).Thinned != uint64(min(2, len(r.passed)-1)) || len(r.pictures) > 0 {
		t.Errorf("%d frames, %d asked for, %+v", n, len(r.passed), stats(s))
	}
	balanced(t, s, n)
}

// The real controller and the real encoder: the ceiling holds, and the model is near enough
// for the quality not to hover.
func TestControllerKeepsTheCeilingWithTheTestCard(t *testing.T) {
	const fps = 50
	for _, most := range []int64{20e6, 10e6, 3e6} {
		ctl, err := rate.New(rate.Config{Most: most, Blind: true})
		if err != nil {
			t.Fatal(err)
		}
		enc := &encoder{rate: &timed{Controller: ctl, every: time.Second / fps}, strip: true}
		card, err := newCard(DefaultSize, fps)
		if err != nil {
			t.Fatal(err)
		}
		if enc.enc, err = codec.NewEncoder(codec.EncoderConfig{}); err != nil {
			t.Fatal(err)
		}
		bytes := 0
		const n = 2 * fps
		for i := range n {
			card.paint(uint32(i), time.Unix(1e9, 0))
			f, err := enc.encode(&picture{img: card.img, id: uint32(i)})
			if err == errLeftOut {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if i >= n/4 {
				bytes += len(f.JPEG)
			}
			f.Release()
		}
		enc.enc.Close()
		st := ctl.Stats(enc.rate.(*timed).now)
		t.Logf("%d Mbit/s: %v, %d changes, %d again", most/1e6, st, st.Changes, st.Again)
		if wire := float64(bytes) * 8 / (n * 3 / 4) * fps * 1.1; wire > float64(most) || wire < 0.6*float64(most) {
			t.Errorf("%.1f Mbit/s are sent of %d", wire/1e6, most/1e6)
		}
		if st.Changes > 8 {
			t.Errorf("the setting changed %d times for pictures that are all alike", st.Changes)
		}
	}
}

// timed is a controller whose clock runs by pictures.
type timed struct {
	*rate.Controller
	now   time.Time
	every time.Duration
}

func (c *timed) Next(_ time.Time, p rate.Picture) (rate.Setting, bool) {
	c.now = c.now.Add(c.every)
	return c.Controller.Next(c.now, p)
}

func (c *timed) Made(_ time.Time, p rate.Picture, s rate.Setting, bytes int) (rate.Setting, bool) {
	return c.Controller.Made(c.now, p, s, bytes)
}
