package command

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/bench"
	"github.com/framegram/framegram/stream"
)

func traceFlag(what string) []cli.Flag {
	return withEnv(&cli.StringFlag{Name: "trace", Category: catRun,
		Usage: "write a JSON line for every frame to `FILE`: " + what + ", in µs since the Unix epoch"})
}

// tracer writes what --trace asks for. A nil one writes nothing.
type tracer struct {
	log  *slog.Logger
	mu   sync.Mutex
	file *os.File
	err  error
}

// openTrace creates or empties the file.
func (s *session) openTrace(c *cli.Context) (*tracer, error) {
	path := c.String("trace")
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return &tracer{file: file, log: s.log}, nil
}

// sent notes a frame of a sender, as udp's and tcp's SenderConfig.Sent want it.
func (t *tracer) sent(f *stream.Frame, captured int64, at time.Time) {
	t.write(bench.SentFrame{Captured: captured, Encoded: f.Ready.UnixMicro(), Sent: at.UnixMicro(), Bytes: len(f.JPEG)})
}

// decoder is what display.Measure wants.
func (t *tracer) decoder() func(*stream.Frame, time.Time) {
	if t == nil {
		return nil
	}
	return t.decoded
}

// decoded notes a frame of a viewer.
func (t *tracer) decoded(f *stream.Frame, at time.Time) {
	t.write(bench.ShownFrame{Captured: f.Captured.UnixMicro(), First: f.First.UnixMicro(), Complete: f.Ready.UnixMicro(), Decoded: at.UnixMicro(), Bytes: len(f.JPEG)})
}

// write writes a line with one system call, so that a killed process leaves whole ones.
func (t *tracer) write(line any) {
	b, err := json.Marshal(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && t.err == nil {
		_, err = t.file.Write(append(b, '\n'))
	}
	if err != nil && t.err == nil {
		t.err = err
		t.log.Warn("the trace ends here", slog.Any("error", err))
	}
}

func (t *tracer) close() {
	if t != nil {
		t.file.Close()
	}
}
