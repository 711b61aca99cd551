package sink_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// answering is a reader that answers every Get alike. A test on a real API
// server, in test/operator, reads real objects; this one has answers that are hard to get there.
type answering struct {
	client.Reader
	status map[string]any
	err    error
	asked  *client.ObjectKey
}

func (a answering) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	if a.asked != nil {
		*a.asked = key
	}
	if a.err == nil {
		o.(*unstructured.Unstructured).Object["status"] = a.status
	}
	return a.err
}

func broker(namespace string) v1alpha1.Sink {
	return v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default", Namespace: namespace}}
}

func address(fields map[string]any) map[string]any { return map[string]any{"address": fields} }

func TestFind(t *testing.T) {
	t.Parallel()
	certs := certificate(t)
	resource := schema.GroupResource{Group: "eventing.knative.dev", Resource: "brokers"}
	tests := map[string]struct {
		reason string
		reader answering
		want   sink.Address
		says   string // of a failure that is SinkNotReady
	}{
		"Ready": {"as Knative writes it", answering{status: address(map[string]any{"url": "http://broker.knative/finance/default"})},
			sink.Address{URI: "http://broker.knative/finance/default"}, ""},
		"WithCertificates": {"transport encryption of Knative", answering{status: address(map[string]any{"url": "https://broker.knative", "CACerts": certs})},
			sink.Address{URI: "https://broker.knative", CACerts: certs}, ""},
		"NoStatus":  {"not reconciled yet", answering{}, sink.Address{}, "has no status.address.url"},
		"NoURL":     {"not ready yet", answering{status: address(nil)}, sink.Address{}, "has no status.address.url"},
		"StrangeIn": {"no Addressable at all", answering{status: map[string]any{"address": "here"}}, sink.Address{}, "has no status.address.url"},
		"BadURL":    {"the receiver would refuse it", answering{status: address(map[string]any{"url": "broker.knative"})}, sink.Address{}, "is not an absolute http or https URI"},
		"BadCerts":  {"the receiver would refuse them", answering{status: address(map[string]any{"url": "https://b", "CACerts": "x"})}, sink.Address{}, "holds no PEM certificate"},
		"NoText":    {"another shape", answering{status: address(map[string]any{"url": "https://b", "CACerts": int64(1)})}, sink.Address{}, "is no text"},
		"Audience":  {"every delivery would be answered with 401, and be dead", answering{status: address(map[string]any{"url": "https://b", "audience": "broker"})}, sink.Address{}, "OIDC tokens"},
		"NoKind":    {"Knative is not installed", answering{err: &meta.NoKindMatchError{}}, sink.Address{}, "does not have"},
		"NotFound":  {"somebody deleted it", answering{err: apierrors.NewNotFound(resource, "default")}, sink.Address{}, "does not exist"},
		"Forbidden": {"the role is missing", answering{err: apierrors.NewForbidden(resource, "default", nil)}, sink.Address{}, "addressable-resolver"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sink.Resolver{Live: tt.reader}
			got, err := r.Find(t.Context(), broker(""), sink.Where{Namespace: "finance", Field: "spec.sink"})
			if tt.says != "" {
				if !errors.Is(err, failure.ErrSinkNotReady) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v; want it to say %q: %s", err, tt.says, tt.reason)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v: %s", got, err, tt.want, tt.reason)
			}
		})
	}
}

func TestFindLeavesTroubleOfTheAPIServer(t *testing.T) {
	t.Parallel()
	r := sink.Resolver{Live: answering{err: apierrors.NewServiceUnavailable("later")}}
	_, err := r.Find(t.Context(), broker(""), sink.Where{Namespace: "finance", Field: "spec.sink"})
	if status := apierrors.APIStatus(nil); !errors.As(err, &status) || errors.Is(err, failure.ErrSinkNotReady) {
		t.Errorf("got %v: it says nothing about the sink", err)
	}
}

func TestFindAllLooksInTheRightNamespace(t *testing.T) {
	t.Parallel()
	var asked client.ObjectKey
	certs := certificate(t)
	sub := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "finance"}, Spec: v1alpha1.EventSubscriptionSpec{
		Sink:     service(""),
		Delivery: v1alpha1.Delivery{DeadLetterSink: broker("sales")},
	}}
	sub.Spec.Delivery.DeadLetterSink.CABundle = []byte(certs)
	reader := answering{status: address(map[string]any{"url": "https://b", "CACerts": certificate(t)}), asked: &asked}

	if _, err := (sink.Resolver{Live: reader}).FindAll(t.Context(), sub.Namespace, sub.Spec.Sink, sub.Spec.Delivery.DeadLetterSink); !errors.Is(err, failure.ErrSinkNotAllowed) ||
		!strings.HasPrefix(err.Error(), "spec.delivery.deadLetterSink.ref ") || asked.Name != "" {
		t.Errorf("a dead letter sink in another namespace: %v; asked %q", err, asked)
	}
	found, err := sink.Resolver{Live: reader, Crossing: true}.FindAll(t.Context(), sub.Namespace, sub.Spec.Sink, sub.Spec.Delivery.DeadLetterSink)
	want := sink.Found{Sink: sink.Address{URI: "http://bot.finance.svc"}, DeadLetterSink: sink.Address{URI: "https://b", CACerts: certs}}
	if err != nil || found != want || asked != (client.ObjectKey{Namespace: "sales", Name: "default"}) {
		t.Errorf("got %+v, %v, asked %s; want %+v: what the user wrote counts for more", found, err, asked, want)
	}
	found, err = sink.Resolver{}.FindAll(t.Context(), "finance", v1alpha1.Sink{}, v1alpha1.Sink{})
	if err != nil || found != (sink.Found{}) {
		t.Errorf("without sinks: %+v, %v", found, err)
	}
}
