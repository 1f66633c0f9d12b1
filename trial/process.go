package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// process is a framegram that was started.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	done  chan struct{} // closed when it has ended
	err   error         // of cmd.Wait, after done

	mu     sync.Mutex
	said   bytes.Buffer // the beginning of standard error
	last   string       // its newest whole line
	rest   []byte       // its newest line, not whole yet
	final  []byte       // the newest line of standard output
	unsaid []byte
}

const (
	maxSaid = 64 << 10 // bytes of standard error that are looked at
	maxLine = 1 << 20  // bytes of a line of figures
)

// newProcess prepares framegram with args; --stats json and the rest of what a trial
// needs are added.
func newProcess(program string, args ...string) *process {
	p := &process{cmd: exec.Command(program, append(args, "--stats", "json")...), began: time.Now(), done: make(chan struct{})}
	for _, v := range os.Environ() { // what is set for the user's own runs is not part of the measurement
		if !strings.HasPrefix(v, "FRAMEGRAM_") || strings.HasPrefix(v, "FRAMEGRAM_NETLAB") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = figuresOf{p}, wordsOf{p}
	p.cmd.WaitDelay = time.Second
	return p
}

// watch waits for the end of a process that was started.
func (p *process) watch() {
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
}

// figuresOf keeps the newest line of standard output.
type figuresOf struct{ p *process }

func (w figuresOf) Write(b []byte) (int, error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsaid = append(p.unsaid, b...)
	if i := bytes.LastIndexByte(p.unsaid, '\n'); i >= 0 {
		start := bytes.LastIndexByte(p.unsaid[:i], '\n') + 1
		p.final = append(p.final[:0], p.unsaid[start:i]...)
		p.unsaid = append(p.unsaid[:0], p.unsaid[i+1:]...)
	}
	if len(p.unsaid) > maxLine {
		p.unsaid = p.unsaid[:0]
	}
	return len(b), nil
}

// wordsOf keeps the beginning of standard error, and its newest line.
type wordsOf struct{ p *process }

func (w wordsOf) Write(b []byte) (int, error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if room := maxSaid - p.said.Len(); room > 0 {
		p.said.Write(b[:min(len(b), room)])
	}
	p.rest = append(p.rest, b...)
	for {
		line, rest, ok := bytes.Cut(p.rest, []byte("\n"))
		if !ok {
			break
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			p.last = text
		}
		p.rest = append(p.rest[:0], rest...)
	}
	if len(p.rest) > maxSaid {
		p.rest = p.rest[:0]
	}
	return len(b), nil
}

// hear waits until standard error matches and returns the first group.
func (p *process) hear(re *regexp.Regexp, within time.Duration, quit <-chan struct{}) (string, error) {
	limit := time.After(within)
	for {
		p.mu.Lock()
		m := re.FindSubmatch(p.said.Bytes())
		p.mu.Unlock()
		if m != nil {
			return string(m[1]), nil
		}
		select {
		case <-quit:
			return "", errors.New("interrupted")
		case <-p.done:
			return "", p.died()
		case <-limit:
			return "", fmt.Errorf("it did not start within %v", within)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// died says why a process ended that should not have.
func (p *process) died() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := "it ended by itself"
	if p.err != nil {
		text = "it died: " + p.err.Error()
	}
	if p.last != "" {
		text += ": " + strings.TrimPrefix(p.last, "framegram: ")
	}
	return errors.New(text)
}

// end asks the process to end, as Ctrl-C does, and kills it if it does not.
func (p *process) end() {
	if p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
		p.cmd.Process.Kill()
		<-p.done
	}
}

// figures are the last ones that were printed.
func (p *process) figures() (f figures, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.Unmarshal(p.final, &f); err != nil {
		return f, fmt.Errorf("its figures cannot be read: %w", err)
	}
	return f, nil
}
