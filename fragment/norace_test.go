//go:build !race

package fragment

const raceDetector = false
