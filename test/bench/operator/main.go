// Command operator measures the operator at the size that it is made for: a
// real control plane with an audit log, the emulator as SAP Concur over TLS,
// and bin/manager as a process of its own. Run it with "make bench-operator"
// from the root of the repository; smaller sizes, for a quick look, are flags.
//
// It prints the table that docs/benchmarks.md keeps, and it asserts nothing:
// how long something takes depends on the machine and on what else it does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sizes say how much there is of everything.
type sizes struct {
	connections   int
	subscriptions int // of each connection
	foreign       int // Secrets that are none of the operator's business
	creates       int
	rotations     int
	resync        time.Duration
	manager       string // the program
	keep          string // directory for the managers' logs
}

func main() {
	var s sizes
	flag.IntVar(&s.connections, "connections", 120, "ConcurConnections, each an application of its own; at least 100.")
	flag.IntVar(&s.subscriptions, "subscriptions", 5, "EventSubscriptions of each connection, at most 5.")
	flag.IntVar(&s.foreign, "foreign-secrets", 500, "Secrets that nothing refers to.")
	flag.IntVar(&s.creates, "creates", 50, "EventSubscriptions that are created and waited for, one after another; at most 200.")
	flag.IntVar(&s.rotations, "rotations", 10, "Secrets that are rotated, at most 40.")
	flag.DurationVar(&s.resync, "resync", 10*time.Second, "resyncInterval of the connections.")
	flag.StringVar(&s.manager, "manager", "bin/manager", "The program to measure.")
	flag.StringVar(&s.keep, "keep", "", "A new directory for the managers' logs, which then stay. Empty: a temporary one.")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run measures everything and cleans up, however it ends.
func run(ctx context.Context, s sizes) (err error) {
	b, err := newBench(ctx, s)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := b.close(); err == nil {
			err = closeErr
		}
	}()
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"create", b.create}, {"populate", b.populate}, {"restart", b.restart}, {"steady state", b.steady},
		{"edits", b.edit}, {"rotation", b.rotate}, {"fail-over", b.failOver},
	} {
		start := time.Now()
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", part.name, time.Since(start).Round(time.Second))
	}
	b.results.print(os.Stdout)
	return nil
}
