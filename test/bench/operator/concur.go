package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// calls are the calls that Concur got since its log was last reset.
type calls struct {
	lists      map[string][]time.Time // by application, in the order of their arrival
	operations map[string]int
	failed     []string
}

// calls reads the emulator's log, which holds ten thousand calls; no
// measurement makes more between two resets.
func (b *bench) calls() calls {
	c := calls{lists: map[string][]time.Time{}, operations: map[string]int{}}
	for _, r := range b.concur.Requests() {
		c.operations[r.Operation]++
		if r.Operation == essemulator.OpList && r.Status == 200 {
			c.lists[r.ApplicationID] = append(c.lists[r.ApplicationID], r.Time)
		}
		if r.Status >= 400 {
			c.failed = append(c.failed, r.String())
		}
	}
	return c
}

// listed tells how many LISTs there were for each connection.
func (c calls) listed(connections int) string {
	least, most := 0, 0
	if len(c.lists) == connections {
		least = 1 << 30
	}
	for _, at := range c.lists {
		least, most = min(least, len(at)), max(most, len(at))
	}
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// gaps tells the times between two LISTs of one connection.
func (c calls) gaps() times {
	var all times
	for _, at := range c.lists {
		for i := range len(at) - 1 {
			all = append(all, at[i+1].Sub(at[i]))
		}
	}
	slices.Sort(all)
	return all
}
