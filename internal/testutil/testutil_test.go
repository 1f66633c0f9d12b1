package testutil_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// recorder is a testing.TB that notes how it was ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                        {}
func (r *recorder) Skipf(format string, a ...any)  { r.skipped = fmt.Sprintf(format, a...) }
func (r *recorder) Fatalf(format string, a ...any) { r.failed = fmt.Sprintf(format, a...) }

func TestNeed(t *testing.T) {
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)

		r := &recorder{}
		if path := testutil.Need(r, "no-such-command", "go"); path == "" || r.skipped+r.failed != "" {
			t.Errorf("CI=%q, go: got %q, %+v", ci, path, r)
		}

		r = &recorder{}
		testutil.Need(r, "no-such-command")
		reason := r.skipped
		if ci == "true" {
			reason = r.failed
		}
		if !strings.Contains(reason, "no-such-command") {
			t.Errorf("CI=%q, no-such-command: got %+v", ci, r)
		}
		if ci == "true" && r.skipped != "" {
			t.Errorf("skipped under CI=true: %s", r.skipped)
		}
	}
}

func TestNeedRoot(t *testing.T) {
	t.Setenv("CI", "")
	r := &recorder{}
	testutil.NeedRoot(r)
	if root := os.Geteuid() == 0; root != (r.skipped == "") || r.failed != "" {
		t.Errorf("root is %v: got %+v", root, r)
	}
}
