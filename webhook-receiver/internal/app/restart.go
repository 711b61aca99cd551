package app

import (
	"reflect"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
)

// needRestart returns the keys that differ and cannot change while the program runs.
func needRestart(running, now *config.Config) []string {
	was, is := adminOf(running), adminOf(now)
	var keys []string
	for _, fixed := range []struct {
		key     string
		was, is any
	}{
		{"events.listen", running.Events.Listen, now.Events.Listen},
		{"events.tls", running.Events.TLS != nil, now.Events.TLS != nil},
		{"events.maxConnections", running.Events.MaxConnections, now.Events.MaxConnections},
		{"events.maxInFlight", running.Events.MaxInFlight, now.Events.MaxInFlight},
		{"admin", running.Admin != nil, now.Admin != nil},
		{"admin.listen", was.Listen, is.Listen},
		{"admin.tls", was.TLS != nil, is.TLS != nil},
		{"journal.bbolt.path", running.Journal.Path, now.Journal.Path},
		{"journal.bbolt.maxSize", running.Journal.MaxSize, now.Journal.MaxSize},
		{"journal.bbolt.dedupeWindow", running.Journal.DedupeWindow, now.Journal.DedupeWindow},
		{"journal.bbolt.calloutDedupeWindow", running.Journal.CalloutDedupeWindow, now.Journal.CalloutDedupeWindow},
		{"journal.bbolt.retention", running.Journal.Retention, now.Journal.Retention},
	} {
		if !reflect.DeepEqual(fixed.was, fixed.is) {
			keys = append(keys, fixed.key)
		}
	}
	return keys
}

func adminOf(c *config.Config) config.Admin {
	if c.Admin == nil {
		return config.Admin{}
	}
	return *c.Admin
}
