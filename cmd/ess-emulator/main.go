// Command ess-emulator is SAP Concur's Event Subscription Service on your own machine: the token service,
// the subscriptions API, and signed deliveries with retries, to develop and test integrations against.
//
//	ess-emulator
//
// starts it with a demo application on https://127.0.0.1:8443 and an admin API on http://127.0.0.1:8444,
// and prints what to do next. Keys and certificates are kept in .ess-emulator. With --sink-listen it is a
// sink instead, which prints the CloudEvents that it gets. See docs/emulator.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ess-operator/ess-operator/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: exit status 0 after a graceful stop, 1 for failures, 2 for wrong flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help())
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "ess-emulator: %v\nRun ess-emulator --help for all flags.\n", err)
		return 2
	case opts.version:
		fmt.Fprintln(stdout, "ess-emulator", version.String())
		return 0
	}
	if err := opts.task()(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "ess-emulator: %v\n", err)
		return 1
	}
	return 0
}

// task is what the flags ask the program to do.
func (o *options) task() func(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	switch {
	case o.sinkListen != "":
		return serveDisplay
	case o.initialize:
		return initialize
	default:
		return serve
	}
}
