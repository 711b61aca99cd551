// Package tracing turns OpenTelemetry on when the standard environment
// variables ask for it, and costs nothing when they do not.
//
// Spans are made when OTEL_TRACES_EXPORTER is otlp, or when it is not set and
// OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is. They
// are sent as OTLP over HTTP with protobuf; everything else (headers, CA,
// sampler, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) is as OpenTelemetry
// documents its variables. Nothing of an event becomes part of a span.
package tracing

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const serviceName = "ess-operator-receiver" // unless OTEL_SERVICE_NAME says otherwise

// ErrUnsupported says that a variable asks for what this program does not have.
var ErrUnsupported = errors.New("not supported")

// Start begins to export spans if getenv (os.Getenv) has variables that ask for it. The provider is nil when they do
// not. The function it returns is never nil: it sends what is left and ends the export, and is to be called once, last.
// version is that of the program.
//
// The OpenTelemetry SDK reads the variables of the process itself: getenv decides whether, not how.
func Start(ctx context.Context, getenv func(string) string, version string) (trace.TracerProvider, func(context.Context) error, error) {
	nothing := func(context.Context) error { return nil }
	on, err := wanted(getenv)
	if !on || err != nil {
		return nil, nothing, err
	}
	described, err := resource.Merge(
		resource.NewSchemaless(attribute.String("service.name", serviceName), attribute.String("service.version", version)),
		resource.Environment(), // the one given last wins
	)
	if err != nil {
		return nil, nothing, fmt.Errorf("reading OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nothing, fmt.Errorf("preparing the export of spans: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	return provider, provider.Shutdown, nil
}

// wanted reads whether the environment asks for spans.
func wanted(getenv func(string) string) (bool, error) {
	if getenv("OTEL_SDK_DISABLED") == "true" {
		return false, nil
	}
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "":
		if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER=%s: %w, use otlp or none", exporter, ErrUnsupported)
	}
	protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: %w, use http/protobuf", protocol, ErrUnsupported)
	}
	return true, nil
}
