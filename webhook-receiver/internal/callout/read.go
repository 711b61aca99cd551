package callout

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The elements of a Notification (SAP Concur, Callouts, Post Event Notification), and those it comes in.
const (
	eventType     = "EventType"
	objectType    = "ObjectType"
	objectURI     = "ObjectURI"
	eventDateTime = "EventDateTime"
	context       = "Context"

	root     = "Notification"
	listRoot = "NotificationList"  // as Concur's sample of the list has it
	listText = "NotificationsList" // as the text above that sample has it
)

// longest says how many bytes of text each element may have. Concur documents no limits; the longest value in its
// samples, a URI, has 116 bytes.
var longest = map[string]int{
	eventType:     1 << 10,
	objectType:    128,
	objectURI:     4 << 10,
	eventDateTime: 128,
	context:       maxToken,
}

// Why a body is no notification. None quotes the body: reasons are logged and shown, bodies are not.
var (
	errEmpty       = errors.New("the body is empty")
	errJSON        = errors.New("the body looks like JSON, not XML")
	errNotXML      = errors.New("the body is not XML")
	errControl     = errors.New("the body holds a character that XML forbids")
	errDeclaration = errors.New("the body has a DOCTYPE or other markup declaration, which is never read")
	errDepth       = fmt.Errorf("elements are nested more than %d deep", maxDepth)
	errElements    = fmt.Errorf("the body has more than %d elements", maxElements)
	errAttributes  = fmt.Errorf("an element has more than %d attributes", maxAttributes)
	errToken       = fmt.Errorf("a tag, text or comment is longer than %d bytes", maxToken)
	errTwiceNamed  = errors.New("an element has one attribute twice")
	errOutside     = errors.New("there is text outside of the root element")
	errRoots       = errors.New("there is more than one root element")
	errRoot        = errors.New("the root element is not Notification")
	errList        = errors.New("the body is a list of notifications; each must be posted by itself")
)

// fields are the texts of the elements in a notification, by name.
type fields map[string]string

// read returns what body says; its errors are reasons to quarantine it.
func read(body []byte, contentType string) (fields, error) {
	text, err := decode(body, contentType)
	if err != nil {
		return nil, err
	}
	if err := sniff(text); err != nil {
		return nil, err
	}
	d := newDocument(text)
	found, err := d.notification()
	if err != nil {
		return nil, err
	}
	for _, name := range [...]string{objectType, objectURI, eventType} {
		if found[name] == "" {
			return nil, fmt.Errorf("the notification has no %s", name)
		}
	}
	return found, nil
}

// sniff gives better reasons than a parser could for what is no XML at all.
func sniff(text []byte) error {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return errEmpty
	case text[0] == '{' || text[0] == '[':
		return errJSON
	case text[0] != '<':
		return errNotXML
	case bytes.ContainsFunc(text, forbidden):
		return errControl
	}
	return nil
}

// forbidden tells the characters that XML 1.0 has not (section 2.2). The decoder looks for them in texts only.
func forbidden(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	}
	return r < ' ' || r == 0xfffe || r == 0xffff
}

// notification reads the whole document.
func (d *document) notification() (fields, error) {
	start, err := d.root()
	switch {
	case err != nil:
		return nil, err
	case start == listRoot || start == listText:
		return nil, errList
	case start != root:
		return nil, errRoot
	}
	found, err := d.fields()
	if err != nil {
		return nil, err
	}
	return found, d.rest()
}

// root returns the local name of the first element.
func (d *document) root() (string, error) {
	for {
		token, err := d.next()
		if errors.Is(err, io.EOF) {
			return "", errNotXML
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name.Local, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return "", errOutside
			}
		}
	}
}

// fields reads up to the end of the root element.
func (d *document) fields() (fields, error) {
	found := fields{}
	for {
		token, err := d.next()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.EndElement:
			return found, nil
		case xml.StartElement:
			if err := d.field(t.Name.Local, found); err != nil {
				return nil, err
			}
		}
	}
}

// field reads an element inside the root, whose start tag has been read. Texts are kept if they are known.
func (d *document) field(name string, found fields) error {
	most, known := longest[name]
	if !known {
		return d.skip()
	}
	if _, twice := found[name]; twice {
		return fmt.Errorf("the notification has more than one %s", name)
	}
	text, err := d.text(name, most)
	found[name] = text
	return err
}

// text reads up to the end of an element that holds only text.
func (d *document) text(name string, most int) (string, error) {
	var text strings.Builder
	for {
		token, err := d.next()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return "", fmt.Errorf("%s holds an element where text should be", name)
		case xml.EndElement:
			return strings.TrimSpace(text.String()), nil
		case xml.CharData:
			if text.Len()+len(t) > most {
				return "", fmt.Errorf("%s is longer than %d bytes", name, most)
			}
			text.Write(t)
		}
	}
}

// rest reads what follows the root element, where only comments and white space may be.
func (d *document) rest() error {
	for {
		token, err := d.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return errRoots
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errOutside
			}
		}
	}
}
