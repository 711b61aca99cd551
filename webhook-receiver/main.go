// Command webhook-receiver takes events from SAP Concur, proves that they are
// Concur's, stores them before it answers, and hands them on as CloudEvents. It
// needs two files and no Kubernetes; `webhook-receiver --help` tells the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitFailed = 1 // it could not start, or a part failed; or a check found something
	exitUsage  = 2 // the command line cannot be used
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// The first signal drains. From then on signals do what they do to any program, so that a second one
	// ends this one at once; the journal can bear it.
	context.AfterFunc(ctx, stop)
	err := newCommand().ExecuteContext(ctx)
	stop()
	var usage usageError
	switch {
	case err == nil:
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "webhook-receiver:", err)
		os.Exit(exitUsage)
	default:
		fmt.Fprintln(os.Stderr, "webhook-receiver:", err)
		os.Exit(exitFailed)
	}
}
