package callout

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Notification is something that happened to a report or request of a company.
type Notification struct {
	// EventType is a sentence, such as "Report Entered Expense Report Workflow Step - SUBMIT".
	EventType string `json:"eventType"`
	// ObjectType is EXPRPT or TRAVELREQ at Concur.
	ObjectType string `json:"objectType"`
	// ObjectURI is opaque, and at Concur not always a valid URI: its samples hold "$" and a bare "%".
	ObjectURI string `json:"objectURI"`
	// EventTime is when; zero is the time of publication.
	EventTime time.Time `json:"eventTime,omitzero"`
	// Context is free text, usually none.
	Context string `json:"context,omitempty"`
}

// check refuses a notification that lacks what every sample of Concur has.
func (n *Notification) check() error {
	for _, field := range []struct{ name, value string }{
		{"eventType", n.EventType}, {"objectType", n.ObjectType}, {"objectURI", n.ObjectURI},
	} {
		if field.value == "" {
			return fmt.Errorf("publishing a notification: %s is missing: %w", field.name, ErrInvalid)
		}
	}
	return nil
}

// layouts are how the forms of EventDateTime are written.
var layouts = map[DateForm]string{
	DateOnly: time.DateOnly, DateAndTime: "2006-01-02T15:04:05", DateAndColon: "2006-01-02:15:04:05",
}

// content is what a notification says, with its date as it was written if that is no date.
type content struct {
	Notification
	dateText string
}

// date writes the event's time.
func (c *content) date(form DateForm) string {
	if c.EventTime.IsZero() {
		return c.dateText
	}
	return c.EventTime.UTC().Format(layouts[form])
}

// maxTokens bounds how much of a raw notification is read for the list; a real one has fewer than twenty.
const maxTokens = 10000

// read finds in a raw body what the list of failed notifications shows of it: the text of elements by local
// name, in any namespace and order. What cannot be read stays empty, since a body may be hostile on purpose.
func read(body []byte) content {
	var c content
	fields := map[string]*string{
		"EventType": &c.EventType, "ObjectType": &c.ObjectType, "ObjectURI": &c.ObjectURI,
		"EventDateTime": &c.dateText, "Context": &c.Context,
	}
	in := xml.NewDecoder(strings.NewReader(string(body)))
	in.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, ErrInvalid }
	var into *string
	for range maxTokens {
		token, err := in.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			into = fields[token.Name.Local]
		case xml.EndElement:
			into = nil
		case xml.CharData:
			if into != nil {
				*into += string(token)
			}
		}
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, c.dateText); err == nil {
			c.EventTime = at
		}
	}
	return c
}
