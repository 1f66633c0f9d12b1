//go:build !cgo || nocv

package capture

import (
	"errors"
	"strings"
	"testing"
)

func TestVideoWithoutOpenCV(t *testing.T) {
	path := writeFile(t, t.TempDir(), "clip.mp4", []byte("anything"))
	_, err := Open(t.Context(), Config{Source: path})
	if !errors.Is(err, ErrNoOpenCV) || !strings.Contains(err.Error(), "this build has no OpenCV") || !strings.Contains(err.Error(), "ffmpeg -re -i "+path) {
		t.Errorf("got %v", err)
	}
}
