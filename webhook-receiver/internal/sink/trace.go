package sink

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// The attributes of CloudEvents' Distributed Tracing extension, and the headers of W3C Trace Context that have the
// same names.
const (
	attributeTraceParent = "traceparent"
	attributeTraceState  = "tracestate"

	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
)

// traceOf returns the trace context with which the event arrived, as attributes of the Distributed Tracing
// extension; none when it is not valid, since W3C has it that a broken one must not be passed on.
func traceOf(header http.Header) []event.Attribute {
	parents := header[headerTraceParent]
	if len(parents) != 1 || !validParent(parents[0]) {
		return nil
	}
	found := []event.Attribute{{Name: attributeTraceParent, Value: parents[0]}}
	if states := header[headerTraceState]; len(states) > 0 {
		text := strings.Join(states, ",")
		if parsed, err := trace.ParseTraceState(text); err == nil && parsed.Len() > 0 {
			found = append(found, event.Attribute{Name: attributeTraceState, Value: parsed.String()})
		}
	}
	return found
}

// parent is a traceparent as W3C Trace Context, 3.2.2, has it: version, trace, parent and flags, and whatever a
// later version may add.
var parent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]{1,64})?$`)

func validParent(s string) bool {
	parts := parent.FindStringSubmatch(s)
	if parts == nil || parts[1] == "ff" || parts[1] == "00" && parts[4] != "" {
		return false
	}
	return strings.Trim(parts[2], "0") != "" && strings.Trim(parts[3], "0") != ""
}

// begin puts the trace context into the headers: that of a new span, a child of the one with which the event
// arrived, when spans are made, and otherwise the latter itself. The span is nil when none is made.
func (c *Client) begin(ctx context.Context, to route.Sink, e event.Event, header http.Header) (context.Context, trace.Span) {
	if c.tracer == nil {
		for _, a := range traceOf(e.Header) {
			header[http.CanonicalHeaderKey(a.Name)] = []string{a.Value}
		}
		return ctx, nil
	}
	var w3c propagation.TraceContext
	ctx = w3c.Extract(ctx, propagation.HeaderCarrier(e.Header))
	ctx, span := c.tracer.Start(ctx, "deliver "+e.Route.String(), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("ess.route", e.Route.String()),
			attribute.String("http.request.method", http.MethodPost),
			attribute.String("url.scheme", to.URI.Scheme),
			attribute.String("server.address", to.URI.Hostname()),
		))
	w3c.Inject(ctx, propagation.HeaderCarrier(header))
	return ctx, span
}

// finish ends a span, if there is one.
func finish(span trace.Span, status int, failure *Error) {
	if span == nil {
		return
	}
	if status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if failure != nil {
		span.SetStatus(codes.Error, failure.Reason)
	}
	span.End()
}
