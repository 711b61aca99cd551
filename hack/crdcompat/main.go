// Command crdcompat compares our CustomResourceDefinitions with those of the last
// release and fails if a change could break whoever uses them: a field that is gone or
// became required, a stricter rule, another type. What it calls a break is decided in
// docs/decisions/0017-api-evolution.md.
//
//	go run -C hack/crdcompat .                     # config/crd/bases with the newest of config/crd/released
//	go run -C hack/crdcompat . OLD-DIR NEW-DIR     # any two directories
//
// Its tests do the same, so that `make test` does.
package main

import (
	"fmt"
	"os"
)

// Where definitions are, from the folder of this module.
const (
	bases    = "../../config/crd/bases"
	released = "../../config/crd/released"
)

func main() {
	broken, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "crdcompat:", err)
		os.Exit(2)
	}
	for _, line := range broken {
		fmt.Println(line)
	}
	if len(broken) > 0 {
		fmt.Println("\nEach line may break whoever uses the last release. Take the change back, or make it as docs/decisions/0017-api-evolution.md has it.")
		os.Exit(1)
	}
}

// run returns the breaks, each a line.
func run(args []string) ([]string, error) {
	switch len(args) {
	case 0:
		last, err := newest(released)
		if err != nil {
			return nil, err
		}
		return compareDirectories(last, bases)
	case 2:
		return compareDirectories(args[0], args[1])
	default:
		return nil, fmt.Errorf("there are %d arguments: give two directories, or none", len(args))
	}
}
