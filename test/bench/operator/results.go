package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// results are the rows of the table.
type results struct {
	rows [][3]string
}

// add notes one row, and shows it at once to whoever waits.
func (r *results) add(what, goal, format string, args ...any) {
	row := [3]string{what, strings.TrimSpace(fmt.Sprintf(format, args...)), goal}
	r.rows = append(r.rows, row)
	fmt.Fprintf(os.Stderr, "  %s: %s\n", row[0], row[1])
}

// print writes the table as Markdown.
func (r *results) print(w io.Writer) {
	fmt.Fprintln(w, "| what | measured | goal |\n| --- | --- | --- |")
	for _, row := range r.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row[:], " | "))
	}
}

// times are how long the same thing took, again and again.
type times []time.Duration

// String tells the percentiles that the goals are about.
func (t times) String() string {
	if len(t) == 0 {
		return "nothing measured"
	}
	sorted := slices.Sorted(slices.Values(t))
	at := func(share float64) time.Duration {
		return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
	}
	return fmt.Sprintf("p50 %s, p99 %s, max %s (n=%d)",
		rounded(at(0.5)), rounded(at(0.99)), rounded(sorted[len(sorted)-1]), len(sorted))
}

// rounded leaves out the digits that mean nothing.
func rounded(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
