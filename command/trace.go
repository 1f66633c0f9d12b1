package command

import (
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

// tracer writes what --trace asks for. A nil one writes nothing. Of a viewer's frames it
// has a line for those that were decoded, and one for those that were whole and that a
// newer one overtook before.
type tracer struct {
	log  *slog.Logger
	mu   sync.Mutex
	file *os.File
	line []byte // reused
	err  error
}

// openTrace creates or empties the file. From then on c.Context tells a viewer's tracer
// of the frames that are overtaken.
func (s *session) openTrace(c *cli.Context) (*tracer, error) {
	path := c.String("trace")
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	t := &tracer{file: file, log: s.log}
	if c.Command.Name == "view" {
		c.Context = stream.WithOvertaken(c.Context, t.overtaken)
	}
	return t, nil
}

// sent notes a frame of a sender, as udp's and tcp's SenderConfig.Sent want it.
func (t *tracer) sent(f *stream.Frame, captured int64, at time.Time) {
	t.write(bench.SentFrame{Captured: captured, Encoded: f.Ready.UnixMicro(), Sent: at.UnixMicro(), Bytes: len(f.JPEG), Faults: minorFaults()}.AppendJSON)
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
	t.write(bench.ShownFrame{Captured: f.Captured.UnixMicro(), First: f.First.UnixMicro(), Complete: f.Ready.UnixMicro(), Decoded: at.UnixMicro(), Bytes: len(f.JPEG), Faults: minorFaults()}.AppendJSON)
}

// overtaken notes a frame of a viewer that was whole, and not decoded.
func (t *tracer) overtaken(o stream.Overtaken) {
	t.write(bench.ShownFrame{Captured: o.Captured.UnixMicro(), First: o.First.UnixMicro(), Complete: o.Ready.UnixMicro(), Bytes: o.Bytes, Faults: minorFaults()}.AppendJSON)
}

// write writes a line with one system call, so that a killed process leaves whole ones.
// frame appends the line.
func (t *tracer) write(frame func([]byte) []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.line = frame(t.line[:0])
	if _, t.err = t.file.Write(t.line); t.err != nil {
		t.log.Warn("the trace ends here", slog.Any("error", t.err))
	}
}

func (t *tracer) close() {
	if t != nil {
		t.file.Close()
	}
}
