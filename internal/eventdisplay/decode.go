package eventdisplay

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// errEvent is what cannot be taken for a CloudEvent.
var errEvent = errors.New("this is no CloudEvent of version 1.0")

// attributes are those of an event that are looked at.
type attributes struct {
	SpecVersion string `json:"specversion"`
	Type        string `json:"type"`
	Subject     string `json:"subject"`
	ID          string `json:"id"`
	Source      string `json:"source"`
}

// decode reads an event in either mode (CloudEvents 1.0, HTTP Protocol Binding). The error is errEvent.
func decode(header http.Header, body []byte) (Event, error) {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	structured := err == nil && strings.HasPrefix(mediaType, "application/cloudevents")
	var a attributes
	switch {
	case !structured:
		a = binary(header)
	case mediaType != "application/cloudevents+json":
		return Event{}, fmt.Errorf("reading %s: only single events in JSON are taken: %w", mediaType, errEvent)
	case json.Unmarshal(body, &a) != nil:
		return Event{}, fmt.Errorf("reading the body: it is no JSON object with attributes that are strings: %w", errEvent)
	}
	if a.SpecVersion != "1.0" {
		return Event{}, fmt.Errorf("reading the attributes: specversion is not 1.0: %w", errEvent)
	}
	if a.Type == "" || a.ID == "" || a.Source == "" {
		return Event{}, fmt.Errorf("reading the attributes: type, id or source is missing: %w", errEvent)
	}
	return Event{Type: a.Type, Subject: a.Subject, ID: a.ID, Source: a.Source}, nil
}

// binary reads the attributes in the headers of a request.
func binary(header http.Header) attributes {
	return attributes{
		SpecVersion: unescaped(header.Get("Ce-Specversion")),
		Type:        unescaped(header.Get("Ce-Type")),
		Subject:     unescaped(header.Get("Ce-Subject")),
		ID:          unescaped(header.Get("Ce-Id")),
		Source:      unescaped(header.Get("Ce-Source")),
	}
}

// unescaped undoes the percent-encoding of header values. A value that is not encoded well is left as it is.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
