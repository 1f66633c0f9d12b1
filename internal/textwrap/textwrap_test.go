package textwrap_test

import (
	"slices"
	"testing"

	"github.com/framegram/framegram/internal/textwrap"
)

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"  ", 10, nil},
		{"one two three", 80, []string{"one two three"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 6, []string{"one", "two", "three"}},
		{"±0.4 ms, late", 7, []string{"±0.4", "ms,", "late"}},
		{"±0.4 ms, late", 8, []string{"±0.4 ms,", "late"}},
		{"a word-without-end it has", 5, []string{"a", "word-without-end", "it", "has"}},
		{"one two", 0, []string{"one", "two"}},
	} {
		if got := textwrap.Lines(tt.text, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %d columns: got %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
