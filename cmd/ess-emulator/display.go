package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/ess-operator/ess-operator/internal/eventdisplay"
)

// serveDisplay runs the event display, and nothing else, until ctx ends.
func serveDisplay(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.sinkListen)
	if err != nil {
		return fmt.Errorf("listening for CloudEvents: %w", err)
	}
	fmt.Fprintf(stdout, "ess-emulator shows the CloudEvents that are posted to http://%s\n", l.Addr())
	group, ctx := errgroup.WithContext(ctx)
	p := &program{logger: newLogger(o, stderr)}
	p.listenAndServe(ctx, group, l, eventdisplay.New(stdout))
	return group.Wait()
}
