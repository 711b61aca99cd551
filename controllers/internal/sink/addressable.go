package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// Resolver finds sinks, also those that have to be asked.
type Resolver struct {
	// Live reads from the API server.
	Live client.Reader
	// Crossing says that sinks in other namespaces may be referred to.
	Crossing bool
	// Interval is how often an object that says where it is should be asked again; 0: Interval.
	Interval time.Duration
}

// Interval is how often an object that says where it is should be asked again.
const Interval = 10 * time.Minute

// LookAgain is when sinks should be looked for again, since nobody tells that they moved; zero: they cannot move.
func (r Resolver) LookAgain(sinks ...v1alpha1.Sink) time.Duration {
	asked := func(s v1alpha1.Sink) bool { return s.Ref != (v1alpha1.SinkRef{}) && !s.Ref.IsService() }
	if !slices.ContainsFunc(sinks, asked) {
		return 0
	}
	interval := cmp.Or(r.Interval, Interval)
	return interval + time.Duration(rand.Float64()*float64(interval)/20) // so that objects spread
}

// FindAll returns where the two sinks of an object in a namespace are.
func (r Resolver) FindAll(ctx context.Context, namespace string, main, deadLetter v1alpha1.Sink) (found Found, err error) {
	if found.Sink, err = r.Find(ctx, main, Main(namespace, r.Crossing)); err != nil {
		return Found{}, err
	}
	found.DeadLetterSink, err = r.Find(ctx, deadLetter, DeadLetter(namespace, r.Crossing))
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

// Main describes spec.sink.
func Main(namespace string, crossing bool) Where {
	return Where{Namespace: namespace, Field: "spec.sink", Crossing: crossing}
}

// DeadLetter describes spec.delivery.deadLetterSink.
func DeadLetter(namespace string, crossing bool) Where {
	return Where{Namespace: namespace, Field: "spec.delivery.deadLetterSink", Crossing: crossing}
}

// Find returns where a sink is; the zero Address where there is none.
func (r Resolver) Find(ctx context.Context, s v1alpha1.Sink, w Where) (Address, error) {
	if s.IsZero() {
		return Address{}, nil
	}
	known, found, err := Of(s, w)
	if found || err != nil {
		return known, err
	}
	told, err := r.ask(ctx, s.Ref, w)
	if err != nil {
		return Address{}, err
	}
	if known.CACerts != "" {
		told.CACerts = known.CACerts // the user's word counts for more
	}
	return told, nil
}

// ask reads a Knative Addressable.
func (r Resolver) ask(ctx context.Context, ref v1alpha1.SinkRef, w Where) (Address, error) {
	key := types.NamespacedName{Namespace: w.Namespace, Name: ref.Name}
	if ref.Namespace != "" {
		key.Namespace = ref.Namespace
	}
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(ref.APIVersion)
	object.SetKind(ref.Kind)
	if err := r.Live.Get(ctx, key, object); err != nil {
		return Address{}, unreadable(err, ref, key, w)
	}
	return addressOf(object, ref, key, w)
}

// unreadable says why an object could not be read. Trouble of the API server stays what it is.
func unreadable(err error, ref v1alpha1.SinkRef, key types.NamespacedName, w Where) error {
	var group *discovery.ErrGroupDiscoveryFailed
	switch {
	case meta.IsNoMatchError(err) || errors.As(err, &group):
		return failure.New(failure.ErrSinkNotReady,
			"%s.ref names the kind %s of %s, which this cluster does not have: correct it, or install what brings it", w.Field, ref.Kind, ref.APIVersion)
	case apierrors.IsNotFound(err):
		return failure.New(failure.ErrSinkNotReady,
			"%s.ref names %s %q, which does not exist in namespace %q: create it, or correct the reference", w.Field, ref.Kind, key.Name, key.Namespace)
	case apierrors.IsForbidden(err):
		return failure.New(failure.ErrSinkNotReady,
			"%s.ref names %s %s, and the manager may not read that kind: bind its service account to the ClusterRole addressable-resolver of Knative (the component config/knative does), or to another that may get it",
			w.Field, ref.Kind, key)
	default:
		return fmt.Errorf("reading %s %s: %w", ref.Kind, key, err)
	}
}

// addressOf reads status.address of an object.
func addressOf(object *unstructured.Unstructured, ref v1alpha1.SinkRef, key types.NamespacedName, w Where) (Address, error) {
	refuse := func(format string, args ...any) (Address, error) {
		return Address{}, failure.New(failure.ErrSinkNotReady, "%s.ref names %s %s, which %s",
			w.Field, ref.Kind, key, fmt.Sprintf(format, args...))
	}
	uri, _, err := unstructured.NestedString(object.Object, "status", "address", "url")
	switch {
	case err != nil || uri == "":
		return refuse("has no status.address.url: see whether it is ready; if it is no Knative Addressable, give its uri")
	case checkURI(uri) != nil:
		return refuse("has a status.address.url that %v", checkURI(uri))
	}
	if audience, _, _ := unstructured.NestedString(object.Object, "status", "address", "audience"); audience != "" {
		return refuse("asks for OIDC tokens (status.address.audience), which the receiver does not have: turn authentication off for it")
	}
	certs, _, err := unstructured.NestedString(object.Object, "status", "address", "CACerts")
	switch {
	case err != nil:
		return refuse("has a status.address.CACerts that is no text")
	case certs != "" && checkCACerts(certs) != nil:
		return refuse("has a status.address.CACerts that %v", checkCACerts(certs))
	}
	return Address{URI: uri, CACerts: certs}, nil
}
