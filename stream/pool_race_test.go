//go:build race

package stream_test

import (
	"bytes"
	"testing"

	"github.com/framegram/framegram/stream"
)

func TestReleasedFrameIsPoisoned(t *testing.T) {
	var pool stream.Pool
	f := pool.Get(4)
	f.JPEG = append(f.JPEG, "jpeg"...)
	kept := f.JPEG // against the rules
	f.Release()
	if !bytes.Equal(kept, []byte{0xDB, 0xDB, 0xDB, 0xDB}) || f.JPEG != nil {
		t.Errorf("after Release: % x, JPEG % x", kept, f.JPEG)
	}
	if again := pool.Get(4); again == f || &again.JPEG[:1][0] == &kept[0] {
		t.Error("a released frame was given out again in a checked build")
	}
}
