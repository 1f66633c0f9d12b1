//go:build race

package udp_test

// raceDetector is on: everything is slower, and pools reuse nothing.
const raceDetector = true
