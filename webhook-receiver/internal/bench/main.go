// Command bench measures how fast the receiver takes events, and what each part
// of an answer costs: the same server is measured without TLS, with it, with the
// check of the signature, and with the journal, by senders on the same machine.
// It prints a table for docs/benchmarks.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/app"
)

// settings are the flags.
type settings struct {
	dir        string
	senders    []int
	variants   []variant
	kept       bool
	length     time.Duration
	rounds     int
	events     int
	cpuProfile string
}

func main() {
	app.CollectLate() // as the receiver does
	s, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = run(ctx, s)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.dir, "dir", "", "Where the journal is; empty: a temporary folder.")
	senders := flags.String("senders", "1,8,64,256", "How many senders at once.")
	flags.DurationVar(&s.length, "length", 2*time.Second, "How long each measurement takes.")
	flags.IntVar(&s.rounds, "rounds", 3, "How often everything is measured; the median is printed.")
	flags.IntVar(&s.events, "events", 20000, "How many signed events to make beforehand; a measurement ends when they are used up.")
	flags.StringVar(&s.cpuProfile, "cpuprofile", "", "Where to write a CPU profile.")
	kept := flags.Bool("kept", false, "Leave out the rows with a handshake for each event.")
	last := flags.Int("last", len(variants), "Measure only the last so many variants; 2 are the receiver without journal and with it.")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if *last < 2 || *last > len(variants) {
		return s, fmt.Errorf("reading --last: %d must be from 2 to %d", *last, len(variants))
	}
	s.kept, s.variants = *kept, variants[len(variants)-*last:]
	for text := range strings.SplitSeq(*senders, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return s, fmt.Errorf("reading --senders: %q must be a number above 0", text)
		}
		s.senders = append(s.senders, n)
	}
	if s.rounds < 1 || s.events < 1 || s.length <= 0 {
		return s, fmt.Errorf("reading flags: --rounds, --events and --length must be above 0")
	}
	return s, nil
}

// run measures every combination in turn, so that what else the machine does falls on all of them.
func run(ctx context.Context, s settings) error {
	fmt.Fprintf(os.Stderr, "signing %d events\n", s.events)
	concur, err := newConcur(s.events)
	if err != nil {
		return err
	}
	if s.cpuProfile != "" {
		file, err := os.Create(s.cpuProfile)
		if err != nil {
			return fmt.Errorf("writing a profile: %w", err)
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("writing a profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	results := map[cell][]result{}
	for round := range s.rounds {
		for _, c := range cells(s) {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("measuring: %w", err)
			}
			got, err := concur.measure(ctx, c, s)
			if err != nil {
				return fmt.Errorf("measuring %v: %w", c, err)
			}
			results[c] = append(results[c], got)
			fmt.Fprintf(os.Stderr, "round %d of %d: %v: %v\n", round+1, s.rounds, c, got)
		}
	}
	fmt.Printf("%s, %s, %d CPUs, %s/%s; median of %d rounds of %v\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, s.rounds, s.length)
	report(os.Stdout, s, results)
	return nil
}
