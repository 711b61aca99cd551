//go:build !race

package privileges_test

const raceEnabled = false
