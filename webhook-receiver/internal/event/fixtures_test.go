package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	arrival = time.Date(2026, 11, 22, 8, 0, 0, 123456789, time.UTC)
	origin  = event.Origin{
		Route:          event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "expense-reports"},
		Source:         "https://us2.api.concursolutions.com",
		SubscriptionID: "acme.expense-reports",
		ContentType:    "application/json",
	}
)

// sample is an event of the index in testdata.
type sample struct {
	File      string
	Topic     string
	EventType string
	body      []byte
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	var all []sample
	if err := json.Unmarshal(read(tb, "index.json"), &all); err != nil {
		tb.Fatal(err)
	}
	for i := range all {
		all[i].body = read(tb, filepath.Join("events", all[i].File))
	}
	return all
}

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Every event of Concur's documentation becomes the CloudEvent that the golden file shows, and loses nothing.
func TestEverySampleHasItsAttributes(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, s := range samples(t) {
		e := event.Parse(origin, s.body, arrival)
		fmt.Fprintf(&got, "== %s\n", s.File)
		for _, a := range e.Attributes() {
			fmt.Fprintf(&got, "%s: %s\n", a.Name, a.Value)
		}
		if e.Quarantine != "" || e.Topic != s.Topic || e.EventType != s.EventType || !bytes.Equal(s.body, e.Body) {
			t.Errorf("%s: quarantine %q, topic %q, event type %q, body %q", s.File, e.Quarantine, e.Topic, e.EventType, e.Body)
		}
		if err := invalid(e); err != nil {
			t.Errorf("%s: %v", s.File, err)
		}
	}
	compareWithGolden(t, got.String())
}

func compareWithGolden(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "attributes.golden"), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, "attributes.golden")), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The index and the folder are the same set; else a sample would go untested.
func TestIndexNamesEverySample(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	indexed := make([]string, 0, len(files))
	for _, s := range samples(t) {
		indexed = append(indexed, filepath.Join("testdata", "events", s.File))
	}
	slices.Sort(indexed)
	if diff := cmp.Diff(files, indexed); diff != "" {
		t.Errorf("-folder +index:\n%s", diff)
	}
}

// setters are how the CloudEvents SDK takes the attributes of the specification.
var setters = map[string]func(*cloudevents.Event, string){
	"specversion":     (*cloudevents.Event).SetSpecVersion,
	"id":              (*cloudevents.Event).SetID,
	"source":          (*cloudevents.Event).SetSource,
	"type":            (*cloudevents.Event).SetType,
	"subject":         (*cloudevents.Event).SetSubject,
	"datacontenttype": (*cloudevents.Event).SetDataContentType,
	"time": func(ce *cloudevents.Event, value string) {
		at, err := types.ParseTime(value)
		if err != nil {
			ce.SetType("") // for Validate to find
		}
		ce.SetTime(at)
	},
}

// invalid asks the CloudEvents SDK whether the attributes make an event, and checks of each value what the SDK
// leaves to its encoders: that it is a legal String.
func invalid(e event.Event) error {
	ce := cloudevents.New()
	for _, a := range e.Attributes() {
		if err := legal(a); err != nil {
			return err
		}
		if set := setters[a.Name]; set != nil {
			set(&ce, a.Value)
		} else {
			ce.SetExtension(a.Name, a.Value)
		}
	}
	return ce.Validate()
}

func legal(a event.Attribute) error {
	switch {
	case a.Value == "" || strings.TrimSpace(a.Value) != a.Value:
		return fmt.Errorf("%s is empty or has spaces around it: %q", a.Name, a.Value)
	case !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, unicode.IsControl):
		return fmt.Errorf("%s is no legal string: %q", a.Name, a.Value)
	case len(a.Value) > 1200:
		return fmt.Errorf("%s has %d bytes", a.Name, len(a.Value))
	}
	return nil
}
