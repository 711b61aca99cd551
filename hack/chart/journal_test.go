package main

import (
	"strings"
	"testing"
)

// TestJournalFitsItsVolume is about two values that are set in two places: a journal that
// may grow beyond its volume is stopped by a full disk, and not at the limit that it knows.
func TestJournalFitsItsVolume(t *testing.T) {
	t.Parallel()
	const (
		larger  = `{receiver: {config: {journal: {bbolt: {maxSize: 40Gi}}}}}`
		smaller = `{receiver: {persistence: {size: 5Gi}}}`
	)
	for name, c := range map[string]struct {
		reason, values string
		says           string // nothing: it is accepted
	}{
		"Larger":    {"the volume has 10Gi by default", larger, `receiver.config.journal.bbolt.maxSize is "40Gi": it must not be more than receiver.persistence.size, which is "10Gi"`},
		"Smaller":   {"nor does the default of the journal fit into any volume", smaller, `receiver.config.journal.bbolt.maxSize is "8Gi": it must not be more than receiver.persistence.size, which is "5Gi"`},
		"NoVolume":  {"an emptyDir has the same limit, and who passes it is evicted", `{receiver: {persistence: {enabled: false, size: 1Gi}}}`, `which is "1Gi"`},
		"OtherUnit": {"G is less than Gi", `{receiver: {persistence: {size: 8G}}}`, `which is "8G"`},
		"Fractions": {"a size may have them", `{receiver: {persistence: {size: 2Ti}, config: {journal: {bbolt: {maxSize: 2.5Ti}}}}}`, `"2.5Ti"`},
		"Bytes":     {"nor does it need a unit", `{receiver: {persistence: {size: "8589934591"}}}`, `which is "8589934591"`},

		"Same":        {"there is no less than the same", `{receiver: {persistence: {size: 8192Mi}}}`, ""},
		"BothChanged": {"this is how it grows", `{receiver: {persistence: {size: 50Gi}, config: {journal: {bbolt: {maxSize: 40Gi}}}}}`, ""},
		"OwnClaim":    {"nobody knows the size of it here", `{receiver: {persistence: {existingClaim: mine}, config: {journal: {bbolt: {maxSize: 40Gi}}}}}`, ""},
		"NoReceiver":  {"there is no journal", `{receiver: {enabled: false, persistence: {size: 1Gi}}}`, ""},
	} {
		for version, render := range renderers {
			t.Run(version+"/"+name, func(t *testing.T) {
				t.Parallel()
				_, err := render(c.values)
				if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%s: %s gives %v, want an error with %q", c.reason, c.values, err, c.says)
				}
			})
		}
	}
}
