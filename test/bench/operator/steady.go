package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// resyncs is over how many resyncs the steady state is watched.
const resyncs = 3

// steady measures a manager that has nothing to do but to look.
func (b *bench) steady(ctx context.Context) error {
	// The changes of the restart are settled after one resync.
	if err := pause(ctx, b.sizes.resync*5/4); err != nil {
		return err
	}
	b.concur.ResetRequests()
	audit, err := b.auditEnd()
	if err != nil {
		return err
	}
	used, err := b.manager.processor()
	if err != nil {
		return err
	}
	window := b.sizes.resync * (2*resyncs + 1) / 2
	highest, err := b.watchMemory(ctx, window)
	if err != nil {
		return err
	}
	after, err := b.manager.processor()
	if err != nil {
		return err
	}
	calls := b.calls()
	reads, writes, err := b.audited(audit, "")
	if err != nil {
		return err
	}
	b.reportSteady(window, calls, total(writes))
	b.results.add("steady state: API-server reads", "–", "%d %s", total(reads), shown(reads))
	b.results.add("steady state: processor time of the manager", "–", "%.1f %% of one core", 100*(after-used).Seconds()/window.Seconds())
	peak, err := b.manager.memory("VmHWM")
	b.results.add("steady state: RSS of the manager", "< 150 MB", "at most %.0f MB; ever since its start %.0f MB", highest, peak)
	return err
}

func (b *bench) reportSteady(window time.Duration, c calls, writes int) {
	others := maps.Clone(c.operations)
	delete(others, essemulator.OpList)
	gaps := c.gaps()
	if len(gaps) == 0 {
		gaps = times{0}
	}
	b.results.add(fmt.Sprintf("steady state, %d connections, %d subscriptions, %d foreign Secrets, %s: LISTs per connection",
		b.sizes.connections, b.sizes.connections*b.sizes.subscriptions, b.sizes.foreign, window),
		"1 per resync", "%s, %s to %s apart with a resync interval of %s", c.listed(b.sizes.connections),
		rounded(gaps[0]), rounded(gaps[len(gaps)-1]), b.sizes.resync)
	b.results.add("steady state: other calls to Concur", "0", "%d %s", total(others), shown(others))
	b.results.add("steady state: API-server writes", "0", "%d", writes)
}

// watchMemory returns the highest resident memory within a window, in megabytes.
func (b *bench) watchMemory(ctx context.Context, window time.Duration) (highest float64, err error) {
	for end := time.Now().Add(window); time.Now().Before(end); {
		now, err := b.manager.memory("VmRSS")
		if err != nil {
			return 0, err
		}
		highest = max(highest, now)
		if err := pause(ctx, time.Second/4); err != nil {
			return 0, err
		}
	}
	return highest, nil
}

// edit measures user changes while everything is looked at again and again.
func (b *bench) edit(ctx context.Context) error {
	var took times
	b.concur.ResetRequests()
	for end := time.Now().Add(2 * b.sizes.resync); time.Now().Before(end); {
		start := time.Now()
		d, err := b.editOne(ctx)
		if err != nil {
			return err
		}
		if d > time.Second {
			b.explain(start, d)
		}
		took = append(took, d)
	}
	b.results.add(fmt.Sprintf("user change → `Ready` while %d objects resync every %s", b.sizes.connections*b.sizes.subscriptions, b.sizes.resync),
		"p99 2 s", "%s, %d failed calls", took, len(b.calls().failed))
	return nil
}

// explain shows the calls of an edit that took long, for whoever looks for the cause.
func (b *bench) explain(start time.Time, took time.Duration) {
	application := b.serial[(b.edits-1)%len(b.serial)].application.ID
	fmt.Fprintf(os.Stderr, "  an edit took %s; since its start:\n", rounded(took))
	for _, r := range b.concur.Requests() {
		if r.ApplicationID == application && r.Time.After(start) {
			fmt.Fprintf(os.Stderr, "    after %s: %s\n", rounded(r.Time.Sub(start)), r)
		}
	}
}

// shown lists counts for a cell.
func shown(counts map[string]int) string {
	if len(counts) == 0 {
		return ""
	}
	parts := make([]string, 0, len(counts))
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", what, counts[what]))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
