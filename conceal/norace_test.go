//go:build !race

package conceal

const raceDetector = false
