package callout

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The limits of a document. Concur's notifications have up to seven elements, two deep, in less than 1 KiB.
const (
	maxDepth      = 16
	maxElements   = 256
	maxAttributes = 64
	// maxToken bounds, in bytes, one tag, text, comment or declaration. The decoder holds one at a time in memory,
	// and of a tag full of attributes it makes up to fifty times as much.
	maxToken = 64 << 10
)

// document reads XML token by token, within the limits.
type document struct {
	decoder  *xml.Decoder
	meter    *meter
	depth    int
	elements int
}

func newDocument(text []byte) *document {
	m := &meter{text: text}
	// Strict, without entities or charsets of its own: decode has seen to the encoding.
	return &document{decoder: xml.NewDecoder(m), meter: m}
}

// next returns the next token, valid until the one after; io.EOF after the last. The decoder sees to it that tags
// match, that only known entities are used, and, with its meter, that no token is too long.
func (d *document) next() (xml.Token, error) {
	d.meter.used = 0
	token, err := d.decoder.Token()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errToken):
		return nil, err
	case err != nil:
		line, _ := d.decoder.InputPos()
		return nil, fmt.Errorf("the body is not well-formed XML: it goes wrong in line %d", line)
	}
	switch t := token.(type) {
	case xml.Directive:
		return nil, errDeclaration
	case xml.ProcInst:
		if strings.EqualFold(t.Target, "xml") {
			return nil, errSecondDeclaration
		}
	case xml.StartElement:
		return t, d.enter(t)
	case xml.EndElement:
		d.depth--
	}
	return token, nil
}

// enter counts a start tag, and makes good what the decoder lets pass.
func (d *document) enter(start xml.StartElement) error {
	d.depth++
	d.elements++
	switch {
	case d.depth > maxDepth:
		return errDepth
	case d.elements > maxElements:
		return errElements
	case len(start.Attr) > maxAttributes:
		return errAttributes
	}
	seen := make(map[xml.Name]bool, len(start.Attr))
	for _, a := range start.Attr {
		if seen[a.Name] {
			return errTwiceNamed
		}
		seen[a.Name] = true
	}
	return nil
}

// skip reads up to the end of an element whose start tag has been read.
func (d *document) skip() error {
	for outer := d.depth - 1; d.depth > outer; {
		if _, err := d.next(); err != nil {
			return err
		}
	}
	return nil
}

// meter hands out text byte by byte, so that the decoder reads nothing ahead, and stops it within an overlong token.
type meter struct {
	text []byte
	used int // bytes of the current token
}

// ReadByte implements io.ByteReader.
func (m *meter) ReadByte() (byte, error) {
	if len(m.text) == 0 {
		return 0, io.EOF
	}
	if m.used == maxToken {
		return 0, errToken
	}
	b := m.text[0]
	m.text = m.text[1:]
	m.used++
	return b, nil
}

// Read implements io.Reader, which the decoder demands and, given ReadByte, does not use.
func (m *meter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := m.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}
