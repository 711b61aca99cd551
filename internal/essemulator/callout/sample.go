package callout

import (
	"embed"
	"fmt"
	"strings"
)

// samples are the POST that Concur's public page prints, with and without its typographical no-break space,
// and two made from it ("derived") that no page shows: in the namespace of the list, and of a travel request.
//
//go:embed samples/*.xml
var samples embed.FS

// Samples returns the names of the built-in notifications, sorted, such as "expense-report-1".
func Samples() []string {
	entries, err := samples.ReadDir("samples")
	if err != nil { // embedded, so it is there
		panic(err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".xml"))
	}
	return names
}

// Sample returns a built-in notification in XML, to be published raw. The error is [ErrNoSample].
func Sample(name string) ([]byte, error) {
	body, err := samples.ReadFile("samples/" + name + ".xml")
	if err != nil {
		return nil, fmt.Errorf("reading sample %q: %w", name, ErrNoSample)
	}
	return body, nil
}
