package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// eventList is the answer of /v1/events.
type eventList struct {
	Events []event.Record `json:"events"`
	// Continue asks for the next page; empty: this is the last. A page may be short, or empty, without being the last.
	Continue string `json:"continue,omitempty"`
}

// eventDetail is the answer of /v1/events/{seq}.
type eventDetail struct {
	event.Record
	// DataSize is of what arrived, which /v1/events/{seq}/data returns.
	DataSize int `json:"dataSize"`
	// Data is what sinks get, when it is JSON. Of a callout that is not what arrived, which was XML.
	Data json.RawMessage `json:"data,omitempty"`
}

func (h *Handler) list(w http.ResponseWriter, r *http.Request) error {
	f, err := queryFilter(r)
	if err != nil {
		return err
	}
	page, err := queryPage(r, f)
	if err != nil {
		return err
	}
	records, next, err := h.Reader.List(f, page)
	if err != nil {
		return fmt.Errorf("listing events: %w", err)
	}
	answer := eventList{Events: make([]event.Record, 0, len(records))}
	for _, rec := range records {
		answer.Events = append(answer.Events, metadata(rec))
	}
	if next != 0 {
		answer.Continue = cursor(next, f, page.Newest)
	}
	return writeJSON(w, answer)
}

// metadata is what lists and tails show: neither headers nor data in any form.
func metadata(r event.Record) event.Record {
	r.Event.Header, r.Event.Body, r.Event.Converted = nil, nil, nil
	r.Missed = 0 // has a line of its own
	return r
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request) error {
	rec, err := h.named(r)
	if err != nil {
		return err
	}
	detail := eventDetail{Record: rec, DataSize: len(rec.Event.Body)}
	data := rec.Event.Data()
	if isJSON(rec.Event.DataContentType) && utf8.Valid(data) && json.Valid(data) {
		detail.Data = data
	}
	detail.Event.Converted = nil // shown as data
	return writeJSON(w, detail)
}

// data answers with what arrived, byte for byte. It came from outside, so no browser may take it for a page.
func (h *Handler) data(w http.ResponseWriter, r *http.Request) error {
	rec, err := h.named(r)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", bodyType(rec.Event))
	header.Set("Content-Length", strconv.Itoa(len(rec.Event.Body)))
	header.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="event-%d"`, rec.Seq))
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(rec.Event.Body) // the caller went away
	return nil
}

// named returns the event that the path names.
func (h *Handler) named(r *http.Request) (event.Record, error) {
	seq, err := pathSeq(r)
	if err != nil {
		return event.Record{}, err
	}
	rec, err := h.Reader.Get(seq)
	if err != nil {
		return event.Record{}, fmt.Errorf("reading an event: %w", err)
	}
	return rec, nil
}

func pathSeq(r *http.Request) (uint64, error) {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil || seq == 0 {
		return 0, badRequest("the path does not name an event; events are named by their seq, a number from 1 on")
	}
	return seq, nil
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

// bodyType is the media type of what arrived. What was converted is of another type since.
func bodyType(e event.Event) string {
	if len(e.Converted) > 0 {
		return mediaType(http.Header(e.Header).Get("Content-Type"))
	}
	return mediaType(e.DataContentType)
}

// mediaType passes on what is one; the sender chose it.
func mediaType(contentType string) string {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "application/octet-stream"
	}
	if safe := mime.FormatMediaType(t, params); safe != "" {
		return safe
	}
	return "application/octet-stream"
}

// encode writes JSON without escaping what HTML would need, so that addresses can be read.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
