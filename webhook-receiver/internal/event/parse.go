package event

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
)

// QuarantinedType is the CloudEvents type of what cannot be an event of Concur's documented form.
const QuarantinedType = "com.concur.quarantined"

// typePrefix begins every CloudEvents type of ours.
const typePrefix = "com.concur."

// Origin is what is known of a delivery before its body is read.
type Origin struct {
	Route RouteID
	// Source is the base URI of the data center, without a slash at its end.
	Source string
	// SubscriptionID is the id of the subscription at ESS.
	SubscriptionID string
	// ContentType is the media type that the sender named; it counts only for what is no event.
	ContentType string
}

// Parse reads a delivery of ESS. It never fails: of what is not a JSON object with an eventType it says so in
// Quarantine. It trusts no field to be there or to have the documented type, for the samples of the topic pages
// (SAP Concur, Event Subscription Service v4, Event Topics) differ from their tables, and from each other.
//
// Values become legal CloudEvents strings, so what CloudEvents forbids in them is left out, and what is longer
// than 512 bytes is cut. An id that would change by that is replaced by the hash of the body: two ids made equal
// would be told for duplicates, and one event lost.
func Parse(from Origin, body []byte, received time.Time) Event {
	e := Event{
		Route:           from.Route,
		Source:          from.Source + "/events/v4/subscriptions/" + url.PathEscape(from.SubscriptionID),
		Type:            QuarantinedType,
		SubscriptionID:  from.SubscriptionID,
		Time:            received,
		Received:        received,
		DataContentType: MediaType(from.ContentType),
		Body:            body,
	}
	// Not a struct: Go would match its fields in any case, and take "timestamp" or "ID" for what they are not.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		e.ID = hash(body)
		e.Quarantine = notAnObject(body, err)
		return e
	}
	e.read(fields)
	if e.ID == "" {
		e.ID = hash(body)
	}
	if e.EventType == "" {
		e.Quarantine = "the body has no eventType that is a non-empty string"
		return e
	}
	e.Type = typeOf(e.Topic, e.EventType)
	e.DataContentType = jsonContentType
	return e
}

// read takes over what the envelope and its facts say; ID stays empty when there is none to use.
func (e *Event) read(fields map[string]json.RawMessage) {
	e.ID = identifier(fields["id"])
	e.Topic = text(fields["topic"])
	e.EventType = text(fields["eventType"])
	e.CorrelationID = text(fields["correlationId"])
	if t, ok := parseTime(text(fields["timeStamp"])); ok {
		e.Time = t
	}
	var facts map[string]json.RawMessage
	if json.Unmarshal(fields["facts"], &facts) != nil {
		return
	}
	e.CompanyID = text(facts["companyId"])
	for _, name := range [...]string{"reportId", "requestId", "documentId", "provisionId", "id", "userId"} {
		if e.Subject = text(facts[name]); e.Subject != "" {
			return
		}
	}
}

// typeOf returns the CloudEvents type. Events name their topic with and without "public.".
func typeOf(topic, eventType string) string {
	topic = strings.TrimPrefix(topic, "public.")
	topic = strings.TrimPrefix(topic, "concur.")
	if topic == "" {
		return typePrefix + eventType
	}
	return typePrefix + topic + "." + eventType
}

// text returns the string in raw as an attribute may hold it; empty when raw is anything but a string.
func text(raw json.RawMessage) string { return AttributeValue(decode(raw)) }

// identifier returns the string or number in raw; empty when an attribute cannot hold just that.
func identifier(raw json.RawMessage) string {
	id := decode(raw)
	if len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') {
		id = string(raw)
	}
	if AttributeValue(id) != id {
		return ""
	}
	return id
}

// decode returns the string in raw; empty when raw is anything but a string.
func decode(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// parseTime reads RFC 3339 with any fraction, in either case, and the same with a zone like +0000.
func parseTime(s string) (time.Time, bool) {
	s = strings.ToUpper(s)
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		t = t.UTC()
		// The zone can move a time out of the years that RFC 3339 has; the zero time would count as absent.
		return t, !t.IsZero() && t.Year() >= 0 && t.Year() <= 9999
	}
	return time.Time{}, false
}

// MediaType returns s when it names a media type, else "application/octet-stream", which fits all bytes. It is the
// DataContentType of what goes into quarantine.
func MediaType(s string) string {
	if len(s) > maxText {
		return anyContentType
	}
	name, parameters, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(name, "/") {
		return anyContentType
	}
	return cmp.Or(AttributeValue(mime.FormatMediaType(name, parameters)), anyContentType)
}

// notAnObject says why body is none; err is what decoding it came to. It quotes nothing of the body.
func notAnObject(body []byte, err error) string {
	var broken *json.SyntaxError
	switch {
	case len(body) == 0:
		return "the body is empty"
	case errors.As(err, &broken):
		return fmt.Sprintf("the body is not JSON: it breaks off or goes wrong at byte %d", broken.Offset)
	default:
		return "the body is JSON, but not an object"
	}
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
