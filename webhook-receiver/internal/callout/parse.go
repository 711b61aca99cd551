package callout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// QuarantinedType is the CloudEvents type of what is no notification of Concur's documented form.
const QuarantinedType = typePrefix + "quarantined"

const (
	typePrefix      = "com.concur.notification."
	jsonContentType = "application/json"
)

// Origin is what is known of a callout before its body is read.
type Origin struct {
	Route event.RouteID
	// ReceiverURL is the public URL of this receiver; CloudEvents sources begin with it.
	ReceiverURL string
	// ContentType is the header of that name. Concur documents none, so it need not be XML: only its charset
	// counts, and all of it for what goes into quarantine.
	ContentType string
}

// data is the CloudEvents data of a notification. Null stands for what Concur did not say.
type data struct {
	EventType     string  `json:"eventType"`
	ObjectType    string  `json:"objectType"`
	ObjectURI     string  `json:"objectURI"`
	EventDateTime *string `json:"eventDateTime"`
	Context       *string `json:"context"`
}

// Parse reads a callout. It never fails: what cannot be read has Event.Quarantine, and is delivered, should somebody
// replay it, as the bytes and the media type that came in. It keeps body.
//
// Of everything else the data is JSON: eventType, objectType, objectURI as Concur wrote them, and eventDateTime and
// context, which are null where Concur said nothing. The CloudEvents subject is the ObjectURI, so that delivery in
// the order of keys keeps the notifications about one report in order.
func Parse(from Origin, body []byte, received time.Time) event.Event {
	sum := sha256.Sum256(body)
	e := event.Event{
		Route:           from.Route,
		ID:              hex.EncodeToString(sum[:]),
		Source:          sourceOf(from),
		Type:            QuarantinedType,
		Time:            received,
		DataContentType: event.MediaType(from.ContentType),
		Received:        received,
		Body:            body,
	}
	fields, err := read(body, from.ContentType)
	if err != nil {
		e.Quarantine = err.Error()
		return e
	}
	converted, err := json.Marshal(fields.data())
	if err != nil { // cannot be: strings always marshal
		e.Quarantine = "the notification cannot be written as JSON"
		return e
	}
	e.Converted = converted
	e.DataContentType = jsonContentType
	e.Type = typePrefix + nameOf(fields[objectType])
	e.EventType = event.AttributeValue(fields[eventType])
	e.Subject = subjectOf(fields[objectURI])
	if t, ok := parseTime(fields[eventDateTime]); ok {
		e.Time = t
	}
	return e
}

func (f fields) data() data {
	return data{
		EventType:     f[eventType],
		ObjectType:    f[objectType],
		ObjectURI:     f[objectURI],
		EventDateTime: textOrNil(f[eventDateTime]),
		Context:       textOrNil(f[context]),
	}
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// sourceOf needs no escapes: Kubernetes names have only characters that a path may have.
func sourceOf(from Origin) string {
	return strings.TrimRight(from.ReceiverURL, "/") + "/connectors/" + from.Route.Namespace + "/" + from.Route.Name
}

// nameOf makes s part of a type that every subscriber's filter can spell: other characters become "_".
func nameOf(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return '_'
	}, s)
}

// subjectOf returns uri where an attribute can hold just that. A part of it would name nothing.
func subjectOf(uri string) string {
	if event.AttributeValue(uri) != uri {
		return ""
	}
	return uri
}

// parseTime reads the forms that the pages describe and print, and RFC 3339. Times without a zone are taken as UTC,
// which is an assumption: no page names one.
func parseTime(s string) (time.Time, bool) {
	layouts := [...]string{time.DateOnly, "2006-01-02:15:04:05", "2006-01-02T15:04:05", time.RFC3339}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), plausible(t.UTC())
		}
	}
	return time.Time{}, false
}

// plausible keeps out what stands for no time at all, such as the year 1, and what a zone moved out of RFC 3339.
func plausible(t time.Time) bool {
	return 1970 <= t.Year() && t.Year() <= 9999
}
