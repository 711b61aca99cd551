//go:build race

package privileges_test

const raceEnabled = true
