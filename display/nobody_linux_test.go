package display

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs f with the file permissions of an ordinary user, whoever we are.
// It is a goroutine whose thread is not used again, since setfsuid(2) is the
// thread's and takes root's powers over files from it.
func asNobody(t *testing.T, f func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if os.Geteuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
