package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// cell is one combination that is measured.
type cell struct {
	variant    variant
	senders    int
	handshakes bool // a new connection for each event
}

func (c cell) String() string {
	connections := "keep-alive"
	if c.handshakes {
		connections = "a handshake for each event"
	}
	return fmt.Sprintf("%s, %d senders, %s", c.variant, c.senders, connections)
}

// cells are all combinations; to set up connections that are not encrypted would tell nothing.
func cells(s settings) []cell {
	var all []cell
	for _, n := range s.senders {
		for _, v := range s.variants {
			all = append(all, cell{variant: v, senders: n})
		}
		for _, v := range s.variants {
			if s.kept || v == plain {
				continue
			}
			all = append(all, cell{variant: v, senders: n, handshakes: true})
		}
	}
	return all
}

// report prints the medians, and how the whole compares with the same server without journal.
func report(w io.Writer, s settings, results map[cell][]result) {
	fmt.Fprintln(w, "| senders | connections | what the server does | events/s | p50 | p99 | processor time per event | of the rate without journal |")
	fmt.Fprintln(w, "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range cells(s) {
		m := median(results[c])
		share := ""
		if c.variant == withJournal {
			without := median(results[cell{variant: withSignature, senders: c.senders, handshakes: c.handshakes}])
			share = fmt.Sprintf("%.2f", m.rate/without.rate)
		}
		connections := "kept"
		if c.handshakes {
			connections = "new each time"
		}
		fmt.Fprintf(w, "| %d | %s | %s | %.0f | %s | %s | %s | %s |\n",
			c.senders, connections, c.variant, m.rate, milliseconds(m.p50), milliseconds(m.p99), microseconds(m.cpu), share)
	}
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// median takes each figure by itself.
func median(all []result) result {
	middle := func(less func(a, b result) int) result {
		sorted := slices.SortedFunc(slices.Values(all), less)
		return sorted[len(sorted)/2]
	}
	return result{
		rate: middle(func(a, b result) int { return cmp.Compare(a.rate, b.rate) }).rate,
		p50:  middle(func(a, b result) int { return cmp.Compare(a.p50, b.p50) }).p50,
		cpu:  middle(func(a, b result) int { return cmp.Compare(a.cpu, b.cpu) }).cpu,
		p99:  middle(func(a, b result) int { return cmp.Compare(a.p99, b.p99) }).p99,
	}
}
