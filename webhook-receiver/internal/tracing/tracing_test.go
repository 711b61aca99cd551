package tracing_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/tracing"
)

func TestWhatTurnsTracingOn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		env    map[string]string
		on     bool
		want   error
	}{
		"Nothing":       {reason: "Off by default."},
		"Exporter":      {reason: "The variable that exists for it.", env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		"Endpoint":      {reason: "An endpoint is enough.", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, on: true},
		"TraceEndpoint": {reason: "So is one for traces only.", env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, on: true},
		"None": {
			reason: "An endpoint may be there for others, such as for metrics.",
			env:    map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
		},
		"Disabled": {
			reason: "The SDK's own switch.",
			env:    map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"},
		},
		"OtherExporter": {
			reason: "Silently sending nothing would be found out when it is needed.",
			env:    map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, want: tracing.ErrUnsupported,
		},
		"GRPC": {
			reason: "Likewise.",
			env:    map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, want: tracing.ErrUnsupported,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, stop, err := tracing.Start(t.Context(), func(key string) string { return tc.env[key] }, "v1")
			if !errors.Is(err, tc.want) {
				t.Fatalf("%s: got error %v, want %v", tc.reason, err, tc.want)
			}
			if (provider != nil) != tc.on {
				t.Errorf("%s: on: got %t, want %t", tc.reason, provider != nil, tc.on)
			}
			if err := stop(t.Context()); err != nil {
				t.Errorf("stopping: %v", err)
			}
		})
	}
}

func TestASpanArrives(t *testing.T) {
	got := make(chan *collector.ExportTraceServiceRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := &collector.ExportTraceServiceRequest{}
		if err := errors.Join(err, proto.Unmarshal(body, request)); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		got <- request
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")

	provider, stop, err := tracing.Start(t.Context(), os.Getenv, "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	_, span := provider.Tracer("test").Start(t.Context(), "deliver")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := (<-got).ResourceSpans[0]
	if name := spans.ScopeSpans[0].Spans[0].Name; name != "deliver" {
		t.Errorf("got span %q", name)
	}
	told := map[string]string{}
	for _, a := range spans.Resource.Attributes {
		told[a.Key] = a.Value.GetStringValue()
	}
	want := map[string]string{
		"service.name": "ess-operator-receiver", "service.version": "v1.2.3", "deployment.environment.name": "test",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
}
