// Package textwrap breaks sentences for people into lines.
package textwrap

import (
	"strings"
	"unicode/utf8"
)

// Lines breaks text between words into lines of at most width characters. A word that is longer stands in a line of its
// own, and is not broken. Text without a word has no line.
func Lines(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line == "" {
		return nil
	}
	return append(lines, line)
}
