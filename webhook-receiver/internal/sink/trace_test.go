package sink_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
)

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentID = "00f067aa0ba902b7"
	arrived  = "00-" + traceID + "-" + parentID + "-01"
)

func traced(header http.Header) event.Event {
	e := simple
	e.Header = header
	return e
}

func TestTraceContextIsPassedOn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason        string
		header        http.Header
		parent, state string
	}{
		"None":       {reason: "Concur sends none today."},
		"Parent":     {"The usual case.", http.Header{"Traceparent": {arrived}}, arrived, ""},
		"State":      {"It belongs to it.", http.Header{"Traceparent": {arrived}, "Tracestate": {"a=1", "b=2"}}, arrived, "a=1,b=2"},
		"StateAlone": {"Without a parent it says nothing.", http.Header{"Tracestate": {"a=1"}}, "", ""},
		"BadState":   {"What is broken is dropped, and no more than that.", http.Header{"Traceparent": {arrived}, "Tracestate": {"a=1,=2"}}, arrived, ""},
		"Two":        {"Nobody knows which one holds.", http.Header{"Traceparent": {arrived, arrived}}, "", ""},
		"ZeroTrace":  {"W3C forbids it.", http.Header{"Traceparent": {"00-" + strings.Repeat("0", 32) + "-" + parentID + "-01"}}, "", ""},
		"ZeroParent": {"W3C forbids it.", http.Header{"Traceparent": {"00-" + traceID + "-0000000000000000-01"}}, "", ""},
		"UpperCase":  {"W3C forbids it.", http.Header{"Traceparent": {strings.ToUpper(arrived)}}, "", ""},
		"VersionFF":  {"W3C forbids it.", http.Header{"Traceparent": {"ff" + arrived[2:]}}, "", ""},
		"Longer":     {"Version 00 has no more than four parts.", http.Header{"Traceparent": {arrived + "-x"}}, "", ""},
		"Future":     {"Later versions may.", http.Header{"Traceparent": {"01" + arrived[2:] + "-x"}}, "01" + arrived[2:] + "-x", ""},
		"Injection":  {"A header must stay one.", http.Header{"Traceparent": {"01" + arrived[2:] + "-\r\nX: y"}}, "", ""},
	}
	server, got := recorder(t, nil)
	c := client(t, sink.Config{})
	for name, tc := range tests {
		if err := send(t, c, at(t, server.URL), traced(tc.header), route.Binary); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := <-got
		for header, want := range map[string]string{
			"Traceparent": tc.parent, "Ce-Traceparent": tc.parent, "Tracestate": tc.state, "Ce-Tracestate": tc.state,
		} {
			if text := r.Header.Get(header); text != want {
				t.Errorf("%s: %s: %s: got %q, want %q", name, tc.reason, header, text, want)
			}
		}
	}
}

func TestSpansAreChildrenOfWhatArrived(t *testing.T) {
	t.Parallel()
	server, got := recorder(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "because of "+string(simple.Body), http.StatusBadGateway)
	})
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	c := client(t, sink.Config{TracerProvider: provider})
	e := traced(http.Header{"Traceparent": {arrived}})
	if err := send(t, c, at(t, server.URL+"/?token=secret"), e, route.Binary); err == nil {
		t.Fatal("got no error")
	}
	span := spans.GetSpans()[0]
	if span.SpanContext.TraceID().String() != traceID || span.Parent.SpanID().String() != parentID {
		t.Errorf("got a span of trace %s below %s", span.SpanContext.TraceID(), span.Parent.SpanID())
	}
	r := <-got
	if parent := r.Header.Get("Traceparent"); parent != "00-"+traceID+"-"+span.SpanContext.SpanID().String()+"-01" {
		t.Errorf("got traceparent %s, want that of the attempt", parent)
	}
	if extension := r.Header.Get("Ce-Traceparent"); extension != arrived {
		t.Errorf("got the extension %s, want that of the event", extension)
	}
	told := map[string]string{"name": span.Name, "status": span.Status.Description}
	for _, a := range span.Attributes {
		told[string(a.Key)] = a.Value.String()
	}
	want := map[string]string{
		"name": "deliver subscription/finance/expense-reports", "status": "the sink answered 502 Bad Gateway",
		"ess.route": "subscription/finance/expense-reports", "http.request.method": "POST", "url.scheme": "http",
		"server.address": "127.0.0.1", "http.response.status_code": "502",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("what a span tells (-want +got):\n%s", diff)
	}
}
