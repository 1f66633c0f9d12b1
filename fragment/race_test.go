//go:build race

package fragment

// raceDetector is on: everything is slower, and pools reuse nothing.
const raceDetector = true
