//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// Pictures are compared small, as packed RGB: what differs between a picture and its
// copy after JPEG and scaling is gone, what differs between two pictures is not.
const (
	smallW = 70
	smallH = 40
)

// small is a picture of smallW x smallH.
type small []byte

// psnr is the peak signal-to-noise ratio of two pictures in dB, up to 99.
func psnr(a, b small) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	if sum == 0 {
		return 99
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// alike is the least PSNR, in dB, at which two pictures count as the same one. A
// picture that went through JPEG, scaling and a screenshot has 30 and more; with red
// and blue exchanged, upside down, or a second later it has less than 22, which
// TestPictureComparison holds.
const alike = 26

// best is the index and PSNR of the frame of the clip that p is most like.
func best(p small, clip []small) (int, float64) {
	at, most := 0, math.Inf(-1)
	for i, c := range clip {
		if d := psnr(p, c); d > most {
			at, most = i, d
		}
	}
	return at, most
}

// mustShow fails the test unless p is a picture of the clip.
func mustShow(t *testing.T, what string, p small, clip []small) {
	t.Helper()
	at, db := best(p, clip)
	if db < alike {
		t.Errorf("%s: most like frame %d of the clip, at %.1f dB, want %d", what, at, db, alike)
		return
	}
	t.Logf("%s: frame %d of the clip, %.1f dB", what, at, db)
}

// ffmpeg runs it and returns its standard output. Anything it complains of fails the
// test.
func ffmpeg(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := brief(t, testutil.Need(t, "ffmpeg"), append([]string{"-v", "error", "-nostdin"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || cutShort.ReplaceAllString(stderr.String(), "") != "" {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// smalls decodes all pictures of an ffmpeg input.
func smalls(t *testing.T, input ...string) []small {
	t.Helper()
	filter := fmt.Sprintf("scale=%d:%d:flags=area,setpts=N", smallW, smallH) // raw pictures have no times of their own
	out := ffmpeg(t, append(input, "-vf", filter, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")...)
	return cut(out)
}

func cut(rgb []byte) (all []small) {
	for n := smallW * smallH * 3; len(rgb) >= n; rgb = rgb[n:] {
		all = append(all, rgb[:n])
	}
	return all
}

// clipPath is a short clip with a moving picture: 560x320, 30 fps, 166 frames.
func clipPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(module(t, "gocv.io/x/gocv"), "images", "small.mp4")
}

var clipOnce struct {
	sync.Once
	frames []small
}

// clipFrames are all frames of the clip, decoded by ffmpeg.
func clipFrames(t *testing.T) []small {
	t.Helper()
	clipOnce.Do(func() { clipOnce.frames = smalls(t, "-i", clipPath(t)) })
	if len(clipOnce.frames) != 166 {
		t.Fatalf("the clip has %d frames, want 166", len(clipOnce.frames))
	}
	return clipOnce.frames
}

// What the comparison must tell apart, it does.
func TestPictureComparison(t *testing.T) {
	t.Parallel()
	clip := clipFrames(t)
	swapped, flipped, card := make(small, len(clip[0])), make(small, len(clip[0])), smalls(t, "-f", "lavfi", "-i", "testsrc=s=560x320:d=0.04")[0]
	p := clip[80]
	for i := 0; i < len(p); i += 3 {
		swapped[i], swapped[i+1], swapped[i+2] = p[i+2], p[i+1], p[i]
		y, x := i/3/smallW, i/3%smallW
		copy(flipped[((smallH-1-y)*smallW+x)*3:], p[i:i+3])
	}
	for name, wrong := range map[string]small{"red and blue exchanged": swapped, "upside down": flipped, "another picture": card} {
		if at, db := best(wrong, clip); db > alike-4 {
			t.Errorf("%s passes for frame %d, at %.1f dB", name, at, db)
		}
	}
	if at, db := best(p, clip); at != 80 || db != 99 {
		t.Errorf("frame 80 is taken for %d, at %.1f dB", at, db)
	}
}
