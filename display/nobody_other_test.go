//go:build !linux

package display

import (
	"os"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// asNobody runs f with the file permissions of an ordinary user.
func asNobody(t *testing.T, f func()) {
	if os.Geteuid() == 0 {
		testutil.Skip(t, "root may write anywhere")
	}
	f()
}
