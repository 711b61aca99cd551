package essemulator

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// samples are the events that Concur's public pages print, unchanged.
//
//go:embed samples/*.json
var samples embed.FS

// Samples returns the names of the built-in events, sorted, such as "expense-report-status-changed-1".
func Samples() []string {
	entries, err := samples.ReadDir("samples")
	if err != nil { // embedded, so it is there
		panic(err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}

// Sample returns a built-in event byte for byte as Concur's pages print it, with the topic it is published
// to: some bodies name the topic without its "public.". The error is [ErrNoSample].
func Sample(name string) (Event, error) {
	body, err := samples.ReadFile("samples/" + name + ".json")
	if err != nil {
		return Event{}, fmt.Errorf("reading sample %q: %w", name, ErrNoSample)
	}
	ev := Event{Topic: envelopeOf(body).topic, Body: body}
	known := func(name string) bool {
		return slices.ContainsFunc(topics, func(t topic) bool { return t.name == name })
	}
	if !known(ev.Topic) && known("public."+ev.Topic) {
		ev.Topic = "public." + ev.Topic
	}
	return ev, nil
}
