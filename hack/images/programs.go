package main

import (
	"fmt"
	"slices"
	"strings"
)

// program is one of those that there are images of.
type program struct {
	name  string
	main  string // main package, from the root of the module
	about string // one sentence, for labels and bills of materials
}

var programs = []program{
	{"manager", "./cmd/manager", "Operator for SAP Concur's Event Subscription Service"},
	{"webhook-receiver", "./webhook-receiver", "Takes events from SAP Concur, stores them and hands them on as CloudEvents"},
	{"ess-emulator", "./cmd/ess-emulator", "Emulator of SAP Concur's Event Subscription Service, for tests and demos"},
}

// choose returns the programs that a list of names stands for; all for an empty one.
func choose(names string) ([]program, error) {
	if names == "" {
		return programs, nil
	}
	var chosen []program
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(programs, func(p program) bool { return p.name == name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("no program is called %q", name)
		case slices.Contains(chosen, programs[i]):
			return nil, fmt.Errorf("program %q is there twice", name)
		}
		chosen = append(chosen, programs[i])
	}
	return chosen, nil
}
