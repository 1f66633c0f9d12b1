package codec

import (
	"bytes"
	"errors"
	"image"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// clipPictures are every twentieth picture of a short film, 560x320, scaled to 1080p: soft, as
// what a camera sees through a lens is.
func clipPictures(t testing.TB) []*BGR {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gocv.io/x/gocv").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	clip := filepath.Join(strings.TrimSpace(string(dir)), "images", "small.mp4")
	return rawPictures(t, exec.Command(testutil.Need(t, "ffmpeg"), "-v", "error", "-nostdin", "-i", clip,
		"-vf", `select=not(mod(n\,20)),scale=1920:1080:flags=lanczos`, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"))
}

// rawPictures are what a program writes, as raw 1080p.
func rawPictures(t testing.TB, cmd *exec.Cmd) (all []*BGR) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil && len(out) < 3*1920*1080 {
		err = errors.New("no picture")
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(cmd.Args, " "), err, &said)
	}
	for n := 3 * 1920 * 1080; len(out) >= n; out = out[n:] {
		all = append(all, &BGR{Pix: out[:n:n], Stride: 3 * 1920, Rect: image.Rect(0, 0, 1920, 1080)})
	}
	return all
}
