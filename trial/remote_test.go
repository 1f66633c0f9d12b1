package trial

import (
	"bufio"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/internal/testutil"
)

// served is a receiving machine on loopback whose framegram is program.
func served(t *testing.T, program string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx := t.Context()
	go func() {
		done <- Serve(ctx, l, program, bench.Machine{CPU: "a processor"}, "1.2.3", slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestReceiverTellsWhatItIsAndWhatFails(t *testing.T) {
	r, err := Dial(t.Context(), served(t, "/no/such/framegram"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Machine.CPU != "a processor" || r.Version != "1.2.3" {
		t.Errorf("got %+v, %s", r.Machine, r.Version)
	}
	for range 2 { // an error is no end
		if _, err := r.view(t.Context(), "", viewing{Way: Way{Transport: "udp"}}); err == nil || !strings.Contains(err.Error(), "/no/such/framegram") {
			t.Errorf("got %v", err)
		}
	}
}

// Rubbish ends the connection, not the service; and one who serves something else is
// told apart.
func TestReceiverSurvivesRubbish(t *testing.T) {
	at := served(t, "/no/such/framegram")
	for _, rubbish := range []string{"GET / HTTP/1.1\r\n\r\n", "{}{}{}\n", strings.Repeat("x", 2*maxQuestion), "[1,2]\n", "\n"} {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		in := bufio.NewReader(c)
		if _, err := in.ReadString('\n'); err != nil { // its machine
			t.Fatal(err)
		}
		c.Write([]byte(rubbish))
		in.ReadString('\n') // an answer or the end
		c.Close()
	}
	if r, err := Dial(t.Context(), at); err != nil {
		t.Error(err)
	} else {
		r.Close()
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n"))
			c.Close()
		}
	}()
	if _, err := Dial(t.Context(), l.Addr().String()); err == nil || !strings.Contains(err.Error(), "does not speak") {
		t.Errorf("got %v", err)
	}
}

// A viewer that asks is told where by the port alone: it asks the machine that wants it, and no other.
func TestReceiverAsksItsAsker(t *testing.T) {
	testutil.Need(t, "sh")
	dir := t.TempDir()
	program := filepath.Join(dir, "framegram")
	script := "#!/bin/sh\necho \"$@\" >" + dir + "/args\n" +
		"echo 'asking 127.0.0.1:1234 for frames over udp' >&2\nexec sleep 1000\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := Dial(t.Context(), served(t, program))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.sender() != "127.0.0.1" {
		t.Errorf("the sender serves on %s", r.sender())
	}
	v, err := r.view(t.Context(), "", viewing{Way: Way{Transport: "udp", Connect: Subscribe}, From: "10.0.0.1:1234"})
	if err != nil {
		t.Fatal(err)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil || !strings.HasPrefix(string(args), "view --from udp://127.0.0.1:1234 ") {
		t.Errorf("%v: it ran %s", err, args)
	}
	if _, err := v.end(); err == nil { // the script leaves no trace
		t.Error("a viewer without a trace")
	}
}

// A machine whose framegram is older has viewers that listen, whatever they are asked for.
func TestOlderReceiverIsToldApart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan string, 2)
	go func() {
		defer close(asked)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for _, answer := range []string{`{"machine":{}}`, `{"port":"4321"}`, `{"received":{}}`} {
			c.Write([]byte(answer + "\n"))
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			asked <- line
		}
	}()
	r, err := Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.view(t.Context(), "", viewing{Way: Way{Transport: "udp", Connect: Subscribe}, From: "10.0.0.1:1234"})
	if err == nil || !strings.Contains(err.Error(), "is older") {
		t.Errorf("got %v", err)
	}
	r.Close()
	if first, second := <-asked, <-asked; !strings.Contains(first, `"from":":1234"`) || strings.Contains(second, "view") {
		t.Errorf("it was asked %s and %s, want the viewer ended again", first, second)
	}
}
