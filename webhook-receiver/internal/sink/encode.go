package sink

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const (
	structuredType = "application/cloudevents+json; charset=utf-8"
	unknownType    = "application/octet-stream"

	attributeType = "datacontenttype"
)

// message is an event as it goes over the wire.
type message struct {
	header http.Header
	body   []byte
}

// encode writes an event in the given content mode. The data of the event is shared, not copied, in binary mode.
func encode(e event.Event, format route.Format) message {
	attributes := append(e.Attributes(), traceOf(e.Header)...)
	if format == route.Structured {
		return message{
			header: http.Header{"Content-Type": {structuredType}},
			body:   structured(attributes, e.Data()),
		}
	}
	return message{header: binary(attributes), body: e.Data()}
}

// binary returns the attributes as headers (CloudEvents, HTTP Protocol Binding 1.0.2, 3.1).
func binary(attributes []event.Attribute) http.Header {
	header := make(http.Header, len(attributes)+5) // and those of the request itself
	for _, a := range attributes {
		if a.Name == attributeType {
			header["Content-Type"] = []string{mediaType(a.Value)}
			continue
		}
		header[headerName(a.Name)] = []string{percent(a.Value)}
	}
	return header
}

// headerNames saves making the same names again for each event.
var headerNames = func() map[string]string {
	names := map[string]string{}
	for _, name := range []string{
		"specversion", "id", "source", "type", "time", "subject", attributeTraceParent, attributeTraceState,
		"concurtopic", "concureventtype", "concurcorrelationid", "concurcompanyid", "subscriptionid",
	} {
		names[name] = textproto.CanonicalMIMEHeaderKey("ce-" + name)
	}
	return names
}()

func headerName(attribute string) string {
	if name, known := headerNames[attribute]; known {
		return name
	}
	return textproto.CanonicalMIMEHeaderKey("ce-" + attribute)
}

// mediaType returns a media type that can be a header. One that cannot would make the event undeliverable.
func mediaType(value string) string {
	if value == "" || !httpguts.ValidHeaderFieldValue(value) {
		return unknownType
	}
	return value
}

// percent encodes a value for a header (CloudEvents, HTTP Protocol Binding 1.0.2, 3.1.3.2): space, double quote,
// percent, and whatever is not printable ASCII, as UTF-8.
func percent(value string) string {
	extra := 0
	for i := range len(value) {
		if encoded(value[i]) {
			extra += 2
		}
	}
	if extra == 0 {
		return value
	}
	const hex = "0123456789ABCDEF"
	value = strings.ToValidUTF8(value, string(utf8.RuneError))
	out := make([]byte, 0, len(value)+extra)
	for i := range len(value) {
		if c := value[i]; encoded(c) {
			out = append(out, '%', hex[c>>4], hex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

func encoded(c byte) bool { return c <= ' ' || c == '"' || c == '%' || c >= 0x7f }

// structured returns an event as one JSON object (CloudEvents, JSON Event Format 1.0.2). It is written by hand
// because encoding/json would compact the data, and consumers may have a signature over it.
func structured(attributes []event.Attribute, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) + 1024)
	asJSON := false
	separator := byte('{')
	for _, a := range attributes {
		out.WriteByte(separator)
		separator = ','
		writeString(&out, a.Name)
		out.WriteByte(':')
		writeString(&out, a.Value)
		asJSON = asJSON || a.Name == attributeType && isJSON(a.Value)
	}
	switch {
	case len(body) == 0:
	case asJSON && utf8.Valid(body) && json.Valid(body):
		out.WriteString(`,"data":`)
		out.Write(body)
	default:
		out.WriteString(`,"data_base64":"`)
		w := base64.NewEncoder(base64.StdEncoding, &out)
		_, _ = w.Write(body) // a buffer takes everything
		_ = w.Close()
		out.WriteByte('"')
	}
	out.WriteByte('}')
	return out.Bytes()
}

// writeString writes a JSON string; encoding/json makes U+FFFD of what is not UTF-8, as percent does.
func writeString(out *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // a string can always be written
	out.Write(text)
}

// isJSON reports whether a media type is JSON. Types that end with +json would be, too (JSON Event Format, 3.1), but
// the official SDK for Go cannot read those when they are embedded; as base64, everybody can.
func isJSON(mediaType string) bool {
	plain, _, _ := strings.Cut(mediaType, ";")
	return plain == "application/json" || plain == "text/json"
}
