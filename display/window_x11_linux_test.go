//go:build cgo && !nocv

package display

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/stream"
)

const windowChildEnv = "FRAMEGRAM_TEST_WINDOW"

// When the X server ends, the toolkit ends the program; that is said. An end of our own
// is not taken for it.
func TestXServerEnds(t *testing.T) {
	if how := os.Getenv(windowChildEnv); how != "" {
		os.Exit(windowChild(how))
	}
	for how, want := range map[string]string{"wait": "the connection to the screen broke", "leave": ""} {
		server := startX(t)
		cmd := exec.Command(os.Args[0], "-test.run=^TestXServerEnds$")
		cmd.Env = append(os.Environ(), windowChildEnv+"="+how)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		ownGroup(cmd)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := time.AfterFunc(patience, func() { killGroup(cmd) })
		defer stop.Stop()
		if _, err := fmt.Fscanln(out); err != nil && err.Error() != "unexpected newline" {
			t.Errorf("%s: the window did not open: %v", how, err)
		}
		if how == "wait" {
			killGroup(server)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: ended with %v, want exit status 1", how, err)
		}
		if got := said.String(); want == "" && strings.Contains(got, "framegram") || !strings.Contains(got, want) {
			t.Errorf("%s: said %q, want %q", how, got, want)
		}
	}
}

// windowChild opens a window and, unless it is to leave at once, waits for its end.
func windowChild(how string) int {
	s, err := Open(Config{Kind: "window"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println()
	for how == "wait" && err == nil {
		err = s.(stream.Poller).Poll(context.Background())
		time.Sleep(pollEvery)
	}
	return 1
}
