//go:build linux

package e2e

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/testutil"
	"github.com/framegram/framegram/udp"
)

// tc has a host's interface queue as tc(8) says.
func (h host) tc(args ...string) {
	h.t.Helper()
	cmd := exec.Command(testutil.Need(h.t, "ip"), append([]string{"netns", "exec", h.name, testutil.Need(h.t, "tc"), "qdisc"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %v: %s", cmd, err, out)
	}
}

// Behind a link of 100 Mbit/s with a queue for a few packets, a burst loses most frames (that are not made smaller),
// and a paced frame none.
func TestPacing(t *testing.T) {
	for _, tt := range []struct {
		pace  string
		fewer uint64 // frames lost than this,
		least uint64 // and at least so many
	}{{"off", 91, 45}, {"80mbit", 4, 0}} {
		t.Run(tt.pace, func(t *testing.T) {
			t.Parallel()
			l := newLAN(t, 2)
			show := func() (sender, viewer figures) {
				v := l.hosts[1].run("view", "--display", "none")
				v.listening()
				s := l.hosts[0].run("send", "--to", "10.78.0.2", "--pace", tt.pace, "--bitrate", "off", "--frames", "90").finish()
				time.Sleep(200 * time.Millisecond) // what is on its way arrives
				v.interrupt()
				return s, v.finish()
			}
			var free figures
			if testutil.Long() { // what the pace itself costs
				_, free = show()
			}
			l.bridge.tc("add", "dev", "port1", "root", "tbf", "rate", "100mbit", "burst", "8kb", "limit", "24kb")
			s, v := show()
			lost := s.Send.Frames.Sent - v.View.Frames.Received
			t.Logf("--pace %s: %d of 90 frames whole, %d lost; latency p50 %.2f ms, p99 %.2f; without the narrow link p50 %.2f ms, p99 %.2f (spread %.2f ms)",
				tt.pace, v.View.Frames.Received, lost, v.View.Latency.P50, v.View.Latency.P99, free.View.Latency.P50, free.View.Latency.P99, s.Send.UDP.Lanes[0].Spread)
			if s.Send.UDP.Lanes[0].Interface != "fg0" {
				t.Errorf("the frames left by %+v", s.Send.UDP.Lanes)
			}
			if lost < tt.least || lost >= tt.fewer {
				t.Errorf("lost %d of 90 frames, want %d..%d", lost, tt.least, tt.fewer-1)
			}
		})
	}
}

// The MTU falls while frames are sent: they are cut smaller from the next one on, still in
// trains.
func TestMTUFalls(t *testing.T) {
	t.Parallel()
	l := newLAN(t, 2)
	v := l.hosts[1].run("view", "--display", "none")
	v.listening()
	s := l.hosts[0].run("send", "--to", "10.78.0.2")
	v.await("frames", shown(20))
	l.hosts[0].ip("link", "set", "fg0", "mtu", "1280")
	s.await("smaller datagrams", func(f figures) bool { return f.Send.UDP.MTU == 1280 })
	before := v.latest().View.Frames
	f := v.await("frames in smaller datagrams", shown(before.Shown+30))
	if lost := f.View.Frames.Lost; lost > 1 {
		t.Errorf("%d frames were lost, want the one that was too large at most", lost)
	}
	if to := s.latest().Send.UDP.To[0]; !to.Offload {
		t.Errorf("the offload is off: %+v", to)
	}
}

// Trains or single datagrams, a group hears the same.
func TestMulticastWithAndWithoutOffload(t *testing.T) {
	t.Parallel()
	for _, offload := range []string{"auto", "off"} {
		t.Run(offload, func(t *testing.T) {
			t.Parallel()
			for tries := 0; !group(t, offload); tries++ {
				if tries == 4 { // other programs may hold the machine for a moment
					t.Fatal("never did all frames come to all")
				}
			}
		})
	}
}

func group(t *testing.T, offload string) (whole bool) {
	l := newLAN(t, 3)
	var viewers []*program
	for _, h := range l.hosts[1:] {
		v := h.run("view", "--display", "none", "--listen", "239.78.2.1", "--offload", offload)
		v.listening()
		viewers = append(viewers, v)
	}
	s := l.hosts[0].run("send", "--to", "239.78.2.1", "--offload", offload, "--frames", "120").finish()
	if on := s.Send.UDP.To[0].Offload; on != (offload == "auto") {
		t.Errorf("--offload %s, and trains are sent: %t", offload, on)
	}
	whole = true
	for _, v := range viewers {
		v.interrupt()
		f := v.finish()
		t.Logf("--offload %s: %d of 120 frames whole, %d lost, %d datagrams of %d missing; cpu %.2f s, the sender's %.2f s",
			offload, f.View.Frames.Received, f.View.Frames.Lost, f.View.UDP.Fragments.Missing, s.Send.UDP.Datagrams, f.CPU, s.CPU)
		whole = whole && f.View.Frames.Received >= 120
	}
	return whole
}

// noise are JPEGs of about so many bytes, as files that `--source images:` sends as they are.
func noise(t *testing.T, width, height, size int) (dir string) {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range m.Y {
		m.Y[i] = byte(128 + i/width/8%64 + random.IntN(24))
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 128, 128
	}
	var best []byte
	for q := 5; q <= 95; q += 5 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: q}); err != nil {
			t.Fatal(err)
		}
		if best == nil || b.Len() <= size {
			best = b.Bytes()
		}
	}
	best = append(best, make([]byte, max(size-len(best), 0))...) // behind EOI, where nobody looks
	dir = t.TempDir()
	for i := range 2 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".jpg"), best, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Many viewers subscribe to one sender, which cuts each frame once for all of them.
func TestCrowd(t *testing.T) {
	crowds := []int{100}
	if testutil.Long() {
		crowds = []int{1, 10, 50, 100}
	}
	for _, n := range crowds {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			for tries := 0; !crowd(t, n); tries++ {
				if tries == 4 { // other programs may hold the machine for a moment
					t.Fatal("never did each viewer get 99.9 % of the frames")
				}
			}
		})
	}
}

// arrival is a frame's way to one viewer.
type arrival struct {
	id          uint32
	first, last time.Time
}

// crowdTime is how long they watch.
func crowdTime() time.Duration {
	if testutil.Long() {
		return 10 * time.Second
	}
	return 4 * time.Second
}

// crowd has n viewers ask for some seconds of 720p30 at 67 kB a frame, and reports whether each has
// got 99.9 % of what was sent meanwhile.
func crowd(t *testing.T, n int) bool {
	at := freePort(t, "udp")
	s := start(t, append([]string{"send", "--listen", at, "--max-viewers", strconv.Itoa(n), "--source", "images:" + noise(t, 1280, 720, 67_000), "--loop", "--fps", "30"}, jsonStats...)...)
	viewers := make([]*udp.Receiver, n)
	seen := make([][]arrival, n)
	done := make(chan struct{}, n)
	for i := range viewers {
		r, err := udp.Listen(udp.ReceiverConfig{From: at})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		viewers[i] = r
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				f, err := r.Next(t.Context())
				if err != nil {
					return
				}
				seen[i] = append(seen[i], arrival{f.ID, f.First, f.Ready})
				f.Release()
			}
		}()
	}
	s.await("all viewers", func(f figures) bool { return f.Send.UDP.House.Viewers == n })
	time.Sleep(time.Second)
	before, whole := s.latest(), make([]uint64, n)
	began := time.Now()
	for i, r := range viewers {
		whole[i] = r.Stats().Fragments.Complete
	}
	time.Sleep(crowdTime())
	after := s.latest()
	took := time.Since(began).Seconds()
	sent := after.Send.Frames.Sent - before.Send.Frames.Sent
	ok, worst, least, leftOut := float64(sent) > 25*took, 1.0, 1.0, uint64(0)
	for i, r := range viewers {
		st := r.Stats()
		got := float64(st.Fragments.Complete-whole[i]) / (30 * took)
		all := float64(st.Fragments.Complete) / float64(max(st.Fragments.Complete+st.Fragments.Lost, 1))
		worst, least, leftOut = min(worst, all), min(least, got), leftOut+st.Fragments.LeftOut
		ok = ok && all >= 0.999 && got > 0.95
	}
	for _, r := range viewers {
		r.Close()
		<-done
	}
	// From the first viewer's first datagram to the last viewer's last, frame by frame.
	first, last, count := map[uint32]time.Time{}, map[uint32]time.Time{}, map[uint32]int{}
	for _, arrivals := range seen {
		for _, a := range arrivals {
			if f, ok := first[a.id]; !ok || a.first.Before(f) {
				first[a.id] = a.first
			}
			if a.last.After(last[a.id]) {
				last[a.id] = a.last
			}
			count[a.id]++
		}
	}
	var spread []time.Duration
	for id, c := range count {
		if c == n {
			spread = append(spread, last[id].Sub(first[id]))
		}
	}
	slices.Sort(spread)
	if len(spread) == 0 {
		t.Log("no frame came to all")
		return false
	}
	t.Logf("%d viewers: %d frames sent in %.1f s, the least share whole at a viewer %.4f, of 30 a second %.3f, left out %d; sender %.3f core; first datagram to last p50 %v, p99 %v",
		n, sent, took, worst, least, leftOut, (after.CPU-before.CPU)/(after.at.Sub(before.at).Seconds()), spread[len(spread)/2], spread[len(spread)*99/100])
	s.await("their leaving", func(f figures) bool { return f.Send.UDP.House.Viewers == 0 })
	s.interrupt()
	s.finish()
	return ok
}

// A viewer that asks is listed by the sender with what it reports.
func TestViewersReport(t *testing.T) {
	t.Parallel()
	at := freePort(t, "udp")
	s := start(t, append([]string{"send", "--listen", at, "--to", "127.0.0.1:9"}, jsonStats...)...)
	v := start(t, append([]string{"view", "--from", at, "--display", "none"}, jsonStats...)...)
	f := s.await("its report", func(f figures) bool {
		return len(f.Send.UDP.Viewers) == 1 && f.Send.UDP.Viewers[0].Shown > 20 && f.Send.UDP.Viewers[0].RTT > 0
	})
	if r := f.Send.UDP.Viewers[0]; r.Lost != 0 || r.Missing != 0 {
		t.Errorf("it reports %+v", r)
	}
	v.interrupt()
	v.finish()
	s.await("its leaving", func(f figures) bool { return f.Send.UDP.House.Left == 1 && len(f.Send.UDP.Viewers) == 0 })
}
