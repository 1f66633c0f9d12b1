package capture

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// A file whose system does not answer, as on a network that is gone, is not waited for.
// A write lease imitates it: who opens the file waits until it is given back
// (fcntl(2), F_SETLEASE).
func TestOpenLeavesAFileThatHangs(t *testing.T) {
	path := writeRecording(t, time.Second, true, greys(t, 1, 64, 48)...)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // and gives the lease back
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		testutil.Skip(t, "the file system knows no leases: %v", err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	if s, err := Open(ctx, Config{Source: path}); s != nil || err != why {
		t.Errorf("got %v, %v, want %v", s, err, why)
	}
}
