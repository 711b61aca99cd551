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

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/app"
)

// The exit codes.
const (
	exitFailed = 1 // it could not start, or a part failed; or a check found something
	exitUsage  = 2 // the command line cannot be used
)

func main() {
	app.CollectLate()
	err := newCommand().ExecuteContext(untilSignalled())
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

// untilSignalled returns a context that ends with the first signal, which drains. Before that, signals are made to
// do again what they do to any program, so that a second one ends this one at once; the journal can bear it.
func untilSignalled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}
