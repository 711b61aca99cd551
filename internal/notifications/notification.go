package notifications

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Notification is one failed notification. Texts are as SAP Concur wrote them; absent and null are empty.
type Notification struct {
	// URI is where it is deleted.
	URI string
	// EventType, ObjectType, ObjectURI, EventDateTime and Context are what would have been posted.
	EventType, ObjectType, ObjectURI, EventDateTime, Context string
}

// XML writes the notification as it would have been posted ("SAP Concur, Event Notification, Post Event
// Notification"). Equal notifications give equal bytes. Characters that XML cannot carry become U+FFFD.
func (n Notification) XML() []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Notification>\n")
	for _, e := range []struct{ name, text string }{
		{"EventType", n.EventType}, {"ObjectType", n.ObjectType}, {"ObjectURI", n.ObjectURI},
		{"EventDateTime", n.EventDateTime}, {"Context", n.Context},
	} {
		if e.text == "" {
			b.WriteString("    <" + e.name + "/>\n")
			continue
		}
		b.WriteString("    <" + e.name + ">")
		_ = xml.EscapeText(&b, []byte(e.text)) // a buffer takes everything
		b.WriteString("</" + e.name + ">\n")
	}
	b.WriteString("</Notification>\n")
	return b.Bytes()
}

// maxItems and maxDepth bound a list; both are far beyond what was ever seen.
const (
	maxItems = 50_000
	maxDepth = 8
)

// What is wrong with a list; none of it quotes the list.
var (
	errForm      = errors.New("neither the XML nor the JSON of a list of notifications")
	errDirective = errors.New("XML with a document type, which is not read")
	errDepth     = errors.New("XML that is nested too deeply")
	errItems     = fmt.Errorf("more than %d notifications", maxItems)
)

// decode reads a list. Its form is told by its first character, because a media type may be anything.
func decode(body []byte) ([]Notification, error) {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	switch {
	case bytes.HasPrefix(body, []byte("<")):
		return decodeXML(body)
	case bytes.HasPrefix(body, []byte("[")):
		return decodeJSON(body)
	default:
		return nil, errForm
	}
}

// decodeJSON reads an array of objects. The page's text names the URI in three ways; case does not matter here.
func decodeJSON(body []byte) ([]Notification, error) {
	var items []struct {
		NotificationURI, NotificationURL                         string
		EventType, ObjectType, ObjectURI, EventDateTime, Context string
	}
	if json.Unmarshal(body, &items) != nil {
		return nil, errForm
	}
	if len(items) > maxItems {
		return nil, errItems
	}
	list := make([]Notification, 0, len(items))
	for _, i := range items {
		n := Notification{
			URI: i.NotificationURI, EventType: i.EventType, ObjectType: i.ObjectType, ObjectURI: i.ObjectURI,
			EventDateTime: i.EventDateTime, Context: i.Context,
		}
		if n.URI == "" {
			n.URI = i.NotificationURL
		}
		list = append(list, n)
	}
	return list, nil
}

// decodeXML reads elements by their local names: the sample of the list has a namespace, that of the post has
// none, and the page calls the root by two names.
func decodeXML(body []byte) ([]Notification, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	r := reader{list: []Notification{}}
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && r.root:
			return r.list, nil
		case err != nil:
			return nil, errForm
		}
		if err := r.take(token); err != nil {
			return nil, err
		}
	}
}

// reader is where in a list the decoder is.
type reader struct {
	list  []Notification
	root  bool // the root was seen
	depth int
	item  bool // inside a Notification
	text  strings.Builder
}

func (r *reader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return errDirective
	case xml.StartElement:
		return r.open(t.Name.Local)
	case xml.CharData:
		if r.item && r.depth == 3 {
			r.text.Write(t)
		}
	case xml.EndElement:
		if r.item && r.depth == 3 {
			r.list[len(r.list)-1].set(t.Name.Local, strings.TrimSpace(r.text.String()))
		}
		r.depth--
		r.item = r.item && r.depth >= 2
	}
	return nil
}

func (r *reader) open(name string) error {
	r.depth++
	r.text.Reset()
	switch {
	case r.depth > maxDepth:
		return errDepth
	case r.depth == 1 && name != "NotificationList" && name != "NotificationsList":
		return errForm
	case r.depth == 1:
		r.root = true
	case r.depth == 2 && name == "Notification":
		if len(r.list) == maxItems {
			return errItems
		}
		r.item, r.list = true, append(r.list, Notification{})
	}
	return nil
}

// set takes over the text of an element; others than these are passed over.
func (n *Notification) set(name, text string) {
	switch name {
	case "EventType":
		n.EventType = text
	case "ObjectType":
		n.ObjectType = text
	case "ObjectURI":
		n.ObjectURI = text
	case "EventDateTime":
		n.EventDateTime = text
	case "Context":
		n.Context = text
	case "NotificationURI", "NotificationURL", "NotificationUrl":
		n.URI = text
	}
}
