package udp

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// journal is a log that tests may read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// has reports whether text was said.
func (j *journal) has(text string) bool { return strings.Contains(j.String(), text) }
