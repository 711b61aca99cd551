package callout

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
)

// The names that Concur's list of failed notifications declares (SAP Concur, Get Notifications by Status).
const (
	namespace = "http://www.concursolutions.com/api/notification/2012/06"
	instance  = "http://www.w3.org/2001/XMLSchema-instance"
)

// element is one child of Notification.
type element struct{ name, text string }

// post writes a notification as it is sent to a connector. Under [DefaultAssumptions] this is the sample of
// SAP Concur, Post Event Notification Request, byte for byte.
func (c *content) post(a *Assumptions) []byte {
	var b bytes.Buffer
	switch a.Declaration {
	case DeclarationPlain:
		b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n")
	case DeclarationPrinted:
		b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"\u00a0?>\n")
	}
	b.WriteString("<Notification")
	if a.Namespaced {
		fmt.Fprintf(&b, " xmlns=%q", namespace)
	}
	if a.Empty == EmptyNil && c.Context == "" {
		fmt.Fprintf(&b, " xmlns:i=%q", instance)
	}
	b.WriteString(">\n")
	event := []element{{"EventType", c.EventType}, {"ObjectType", c.ObjectType}, {"ObjectURI", c.ObjectURI}}
	date, context := element{"EventDateTime", c.date(a.Date)}, element{"Context", c.Context}
	elements := append(event, date, context)
	if a.Order == OrderList {
		elements = append([]element{context, date}, event...)
	}
	for _, e := range elements {
		e.write(&b, "    ", a.Empty)
	}
	b.WriteString("</Notification>\n")
	return b.Bytes()
}

// write adds an element on a line of its own.
func (e element) write(b *bytes.Buffer, indent string, empty Empty) {
	switch {
	case e.text != "" || e.name != "Context":
		fmt.Fprintf(b, "%s<%s>", indent, e.name)
		_ = xml.EscapeText(b, []byte(e.text)) // a buffer takes everything
		fmt.Fprintf(b, "</%s>\n", e.name)
	case empty == EmptyNil:
		fmt.Fprintf(b, "%s<%s i:nil=\"true\" />\n", indent, e.name)
	case empty == EmptyElement:
		fmt.Fprintf(b, "%s<%s/>\n", indent, e.name)
	}
}

// Failed is a notification that Concur has given up on, as the list shows it.
type Failed struct {
	Context         *string // nil when there is none
	EventDateTime   string
	EventType       string
	NotificationURI string
	ObjectType      string
	ObjectURI       string
}

// ListXML writes the list as SAP Concur, Get Notifications by Status, prints it.
func ListXML(root ListRoot, list []Failed) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<%s xmlns=%q xmlns:i=%q>\n", root, namespace, instance)
	for _, f := range list {
		context := ""
		if f.Context != nil {
			context = *f.Context
		}
		b.WriteString("    <Notification>\n")
		for _, e := range []element{
			{"Context", context}, {"EventDateTime", f.EventDateTime}, {"EventType", f.EventType},
			{"NotificationURI", f.NotificationURI}, {"ObjectType", f.ObjectType}, {"ObjectURI", f.ObjectURI},
		} {
			e.write(&b, "        ", EmptyNil)
		}
		b.WriteString("    </Notification>\n")
	}
	fmt.Fprintf(&b, "</%s>\n", root)
	return b.Bytes()
}

// ListJSON writes the list as an array.
func ListJSON(list []Failed) []byte {
	if list == nil {
		list = []Failed{}
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)                 // an "&" of a URI stays one
	if err := out.Encode(list); err != nil { // strings only, which always marshal
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
