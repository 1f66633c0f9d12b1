package udp

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A socket that sends no checksums cannot send trains (EINVAL). When that begins while
// frames are sent, none is lost, and it is said once.
func TestOffloadEndsHalfWay(t *testing.T) {
	var log journal
	s, r := testSender(t, &log)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range 60 {
		if i == 20 {
			if !s.Stats().To[0].Offload {
				t.Fatal("trains were not sent to begin with")
			}
			if err := control(s.dests[0].conn, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1) }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Write(ctx, frameOf(100)); err != nil {
			t.Fatal(err)
		}
		f, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("frame %d: %v: %+v", i, err, r.Stats())
		}
		f.Release()
	}
	st, rs := s.Stats().To[0], r.Stats().Fragments
	if st.Unsent != 0 || st.Frames != 60 || rs.Lost != 0 || rs.Missing != 0 {
		t.Errorf("frames were lost: %+v, %+v", st, rs)
	}
	if st.Offload {
		t.Error("the offload is on still")
	}
	s.Close() // by then the log is written
	if n := strings.Count(log.String(), "\n"); n != 1 || !log.has("refuses segmentation offload") {
		t.Errorf("the log is %q, want one line", log.String())
	}
}
