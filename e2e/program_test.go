//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that takes a second at most.
const patience = 15 * time.Second

// program is a running framegram, or another program beside it.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of cmd.Wait, after done

	mu     sync.Mutex
	stderr bytes.Buffer
	stats  []figures // what --stats json said so far, with the time it came
}

// options are what start may be given beyond arguments.
type options struct {
	binary string // "" = framegram
	env    []string
	dir    string // working directory
	stdin  io.Reader
	stdout io.Writer // nil: parsed as --stats json
	stderr *os.File  // nil: kept for said and heard
}

// start starts framegram, which is killed when the test ends if it still runs.
func start(t *testing.T, args ...string) *program { return startWith(t, options{}, args...) }

func startWith(t *testing.T, o options, args ...string) *program {
	t.Helper()
	if o.binary == "" {
		o.binary = framegram
	}
	p := &program{t: t, cmd: beside(o.binary, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = append(os.Environ(), o.env...), o.dir
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = o.stdin, o.stdout, (*stderr)(p)
	if o.stderr != nil {
		p.cmd.Stderr = o.stderr
	}
	p.cmd.WaitDelay = 2 * time.Second // for the pipes, once the process has ended
	parsed := make(chan struct{})
	if o.stdout == nil {
		r, w := io.Pipe()
		p.cmd.Stdout = w
		go func() { defer close(parsed); p.parse(r) }()
		t.Cleanup(func() { w.Close() })
	} else {
		close(parsed)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		if w, ok := p.cmd.Stdout.(*io.PipeWriter); ok {
			w.Close()
		}
		<-parsed
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(p.cmd.Args, " "), p.said())
		}
	})
	return p
}

// beside is exec.Command for what must not outlive the tests, however they end.
func beside(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// brief is beside for what ends by itself. It is given a minute.
func brief(t *testing.T, path string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	return cmd
}

// stderr is a program as the writer of what it says.
type stderr program

func (s *stderr) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(b)
}

// said is standard error so far.
func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *program) parse(r *io.PipeReader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		f := figures{at: time.Now()}
		if err := json.Unmarshal(line, &f); err != nil {
			f.bad = fmt.Errorf("%w: %q", err, line)
		}
		p.mu.Lock()
		p.stats = append(p.stats, f)
		p.mu.Unlock()
	}
}

// latest are the newest figures, zero before the first.
func (p *program) latest() figures {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.stats) == 0 {
		return figures{}
	}
	f := p.stats[len(p.stats)-1]
	if f.bad != nil {
		p.t.Fatalf("standard output is not --stats json: %v", f.bad)
	}
	return f
}

// await waits until the figures are as wanted, and returns them.
func (p *program) await(what string, wanted func(figures) bool) figures {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		f := p.latest()
		if wanted(f) {
			return f
		}
		if time.Now().After(deadline) || p.ended() {
			p.t.Fatalf("no %s: %+v", what, f)
		}
	}
}

func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// heard waits until standard error matches and returns the first group.
func (p *program) heard(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.said()); m != nil {
			return m[len(m)-1]
		}
		if time.Now().After(deadline) || p.ended() {
			p.t.Fatalf("%q was not said", pattern)
		}
	}
}

// listening waits until a viewer listens, and returns its address.
func (p *program) listening() string {
	p.t.Helper()
	return p.heard(`waiting for frames on (\S+)`)
}

// page waits until the web page is served, and returns its address.
func (p *program) page() string {
	p.t.Helper()
	return p.heard(`(http://127\.0\.0\.1:\d+/)`)
}

// wait waits for the end and returns the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(2 * patience):
		p.t.Fatalf("%s does not end", p.cmd.Args)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatalf("%s: %v", p.cmd.Args, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// finish waits for an end without error and returns the final figures.
func (p *program) finish() figures {
	p.t.Helper()
	if code := p.wait(); code != 0 {
		p.t.Fatalf("%s exited with %d", p.cmd.Args, code)
	}
	f := p.latest()
	if !f.Final {
		p.t.Fatalf("the last figures are not final: %+v", f)
	}
	return f
}

// interrupt sends what Ctrl-C sends.
func (p *program) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the program as kill -9 does.
func (p *program) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// figures are the parts of --stats json that the tests look at.
type figures struct {
	Final bool    `json:"final"`
	Role  string  `json:"role"`
	CPU   float64 `json:"cpu_s"`
	Send  struct {
		Frames struct {
			Captured uint64 `json:"captured"`
			Sent     uint64 `json:"sent"`
			TooLarge uint64 `json:"too_large"`
		} `json:"frames"`
		Capture struct {
			Pictures uint64 `json:"pictures"`
			Damaged  uint64 `json:"damaged"`
			Garbage  uint64 `json:"garbage_bytes"`
		} `json:"capture"`
		UDP struct {
			MTU       int    `json:"mtu"`
			Datagrams uint64 `json:"datagrams"`
			To        []struct {
				Addr    string `json:"addr"`
				Unsent  uint64 `json:"unsent"`
				Offload bool   `json:"offload"`
			} `json:"to"`
			Lanes []struct {
				Interface string  `json:"interface"`
				Limit     int64   `json:"limit_bit_s"`
				Spread    float64 `json:"spread_ms"`
			} `json:"lanes"`
			House struct {
				Viewers int    `json:"viewers"`
				Joined  uint64 `json:"joined"`
				Left    uint64 `json:"left"`
				Full    uint64 `json:"refused_full"`
			} `json:"house"`
			Viewers []struct {
				Addr    string `json:"addr"`
				Shown   uint32 `json:"shown"`
				Lost    uint32 `json:"lost"`
				Missing uint64 `json:"missing"`
				RTT     uint32 `json:"rtt_us"`
			} `json:"viewers"`
		} `json:"udp"`
		TCP struct {
			Viewers []struct {
				Addr string `json:"addr"`
			} `json:"viewers"`
		} `json:"tcp"`
	} `json:"send"`
	Relay struct {
		Frames struct {
			Received uint64 `json:"received"`
			Sent     uint64 `json:"sent"`
		} `json:"frames"`
	} `json:"relay"`
	Record struct {
		Frames uint64 `json:"frames"`
		Bytes  uint64 `json:"bytes"`
	} `json:"record"`
	View struct {
		Conceal *struct {
			Tried   uint64            `json:"tried"`
			Filled  uint64            `json:"filled"`
			Strips  uint64            `json:"strips"`
			Dropped map[string]uint64 `json:"dropped"`
		} `json:"conceal"`
		Frames struct {
			Received uint64 `json:"received"`
			Shown    uint64 `json:"shown"`
			Skipped  uint64 `json:"skipped"`
			LeftOut  uint64 `json:"left_out"`
			Lost     uint64 `json:"lost"`
		} `json:"frames"`
		Latency struct {
			P50 float64 `json:"p50"`
			P99 float64 `json:"p99"`
		} `json:"latency_ms"`
		Timecode struct { // with --timecode
			Frames      uint64 `json:"frames"` // that hold a timecode
			Implausible uint64 `json:"implausible"`
			Unreadable  uint64 `json:"unreadable"`
			Undecodable uint64 `json:"undecodable"`
		} `json:"timecode"`
		UDP struct {
			Datagrams   uint64 `json:"datagrams"`
			KernelDrops uint64 `json:"kernel_drops"`
			ReadBuffer  int    `json:"read_buffer"`
			From        string `json:"from"`
			Fragments   struct {
				Dropped    map[string]uint64 `json:"dropped"`
				Complete   uint64            `json:"complete"`
				Incomplete map[string]uint64 `json:"incomplete"`
				Missing    uint64            `json:"missing"`
				Takeovers  uint64            `json:"takeovers"`
			} `json:"fragments"`
		} `json:"udp"`
	} `json:"view"`

	at  time.Time // when the line came
	bad error     // the line was not JSON
}

// shown is a condition for await: more than n frames were shown.
func shown(n uint64) func(figures) bool {
	return func(f figures) bool { return f.View.Frames.Shown > n }
}

// json asks for figures ten times a second.
var jsonStats = []string{"--stats", "json", "--interval", "100ms"}

// view starts a viewer on a free port.
func view(t *testing.T, args ...string) *program {
	t.Helper()
	return start(t, append(append([]string{"view", "--listen", "127.0.0.1:0"}, jsonStats...), args...)...)
}

// send starts a sender.
func send(t *testing.T, to string, args ...string) *program {
	t.Helper()
	return start(t, append(append([]string{"send", "--to", to}, jsonStats...), args...)...)
}
