// Command images makes container images of the programs without a container builder,
// a registry or a base image: it compiles each program for each platform, adds what a
// program needs around it (certificate authorities, a user) and what has to go with it
// (licence texts, a bill of materials), and writes one archive that containerd, kind,
// Docker and podman load.
//
// The same source gives the same bytes, on any machine with the same release of Go.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: 0 when all was written, 1 for failures, 2 for a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(stderr, "images:", err)
		return 2
	}
	commands := map[string]func(options, context.Context, io.Writer) error{
		"archives": options.archives, "rootfs": options.rootfs, "sbom": options.sboms,
	}
	command, ok := commands[o.command]
	if !ok {
		fmt.Fprintf(stderr, "images: no command is called %q\n%s", o.command, usage)
		return 2
	}
	if err := command(o, ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "images:", err)
		return 1
	}
	return 0
}
