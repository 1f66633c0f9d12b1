//go:build race

package stream

// checked makes Pool catch every use after Release; see the package comment.
const checked = true
