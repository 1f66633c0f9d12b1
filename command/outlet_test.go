package command

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOutletWritesAllBeforeClose(t *testing.T) {
	var b bytes.Buffer
	o := newOutlet(&b, nil)
	for range outletLines {
		io.WriteString(o, "line\n")
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(o, "too late\n")
	if want := strings.Repeat("line\n", outletLines); b.String() != want {
		t.Errorf("got %d bytes, want %d", b.Len(), len(want))
	}
}

// stuck is a reader that reads nothing until it is let go.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) { <-s; return len(p), nil }

func TestStuckReaderHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := make(stuck)
		o := newOutlet(w, nil)
		began := time.Now()
		for range 10 * outletLines {
			io.WriteString(o, "line\n")
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("writing took %v", d)
		}
		if err := o.Close(); err != nil || time.Since(began) != outletGrace {
			t.Errorf("Close took %v and returned %v", time.Since(began), err)
		}
		close(w)
	})
}

func TestOutletTellsOfTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	told := make(chan error, 9)
	r, w := io.Pipe()
	r.CloseWithError(broken)
	o := newOutlet(w, func(err error) { told <- err })
	io.WriteString(o, "line\n")
	io.WriteString(o, "line\n")
	if err := o.Close(); !errors.Is(err, broken) || len(told) != 1 {
		t.Errorf("Close returned %v, %d errors were told, want one", err, len(told))
	}
}
