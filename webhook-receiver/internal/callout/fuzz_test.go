package callout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Whatever arrives becomes an event that the store can hold and any CloudEvents consumer can read, always the same.
func FuzzParse(f *testing.F) {
	for _, body := range samples(f) {
		f.Add(body, "application/xml")
		f.Add(utf16Of(string(body), true), "text/xml; charset=utf-16")
	}
	for _, tc := range hostile() {
		if len(tc.body) < 1<<10 {
			f.Add([]byte(tc.body), tc.contentType)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		from := origin
		from.ContentType = contentType
		before := bytes.Clone(body)
		e := Parse(from, body, arrival)
		if err := invalid(e, before); err != nil {
			t.Fatalf("%q: %v", before, err)
		}
		if diff := cmp.Diff(e, Parse(from, before, arrival)); diff != "" {
			t.Fatalf("%q is not always read alike:\n%s", before, diff)
		}
	})
}

// invalid checks what holds for every event that Parse returns.
func invalid(e event.Event, body []byte) error {
	sum := sha256.Sum256(body)
	if e.ID != hex.EncodeToString(sum[:]) || !bytes.Equal(e.Body, body) {
		return errors.New("the id or the body are not those of what came in")
	}
	stored, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("it cannot be stored: %w", err)
	}
	var read event.Event
	if err := json.Unmarshal(stored, &read); err != nil {
		return fmt.Errorf("it cannot be read again: %w", err)
	}
	read.Body = body
	if !bytes.Equal(read.Data(), e.Data()) {
		return fmt.Errorf("the store changes the data from %s to %s", e.Data(), read.Data())
	}
	return errors.Join(invalidAttributes(e), invalidData(e))
}

// invalidAttributes asks the CloudEvents SDK, and checks of each value what the SDK leaves to its encoders.
func invalidAttributes(e event.Event) error {
	for _, a := range e.Attributes() {
		if strings.TrimSpace(a.Value) != a.Value || !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, unicode.IsControl) {
			return fmt.Errorf("%s is no legal string: %q", a.Name, a.Value)
		}
	}
	ce := cloudevents.New()
	ce.SetID(e.ID)
	ce.SetSource(e.Source)
	ce.SetType(e.Type)
	ce.SetSubject(e.Subject)
	ce.SetTime(e.Time)
	ce.SetDataContentType(e.DataContentType)
	ce.SetExtension("concureventtype", e.EventType)
	return ce.Validate()
}

// invalidQuarantine checks that quarantine changes nothing of what came in.
func invalidQuarantine(e event.Event) error {
	if e.Type != QuarantinedType || e.Converted != nil || !e.Time.Equal(e.Received) {
		return fmt.Errorf("it is in quarantine, and yet of type %s, with data %q and time %s", e.Type, e.Converted, e.Time)
	}
	return nil
}

// invalidData checks that there are the five values, each saying something.
func invalidData(e event.Event) error {
	if e.Quarantine != "" {
		return invalidQuarantine(e)
	}
	var got map[string]*string
	if err := json.Unmarshal(e.Data(), &got); err != nil {
		return fmt.Errorf("data is no object of strings: %w: %s", err, e.Data())
	}
	optional := map[string]bool{"eventType": false, "objectType": false, "objectURI": false, "eventDateTime": true, "context": true}
	for name, mayBeNull := range optional {
		if value, found := got[name]; !found || !says(value, mayBeNull) {
			return fmt.Errorf("%s is missing or empty: %s", name, e.Data())
		}
	}
	if len(got) != len(optional) || e.DataContentType != jsonContentType {
		return fmt.Errorf("%s with %s: %s", e.Type, e.DataContentType, e.Data())
	}
	return nil
}

// says tells whether a value is null where it may be, or a text.
func says(value *string, mayBeNull bool) bool {
	if value == nil {
		return mayBeNull
	}
	return strings.TrimSpace(*value) != ""
}
