// Package access finds out in which namespaces the operator may work. A cache waits
// for all of them, so that a single one without a Role would hold up all others: the
// manager leaves those out in which it may not read, says what it lacks there, and
// starts again once it has been granted.
package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// ErrGranted ends the manager, which has more namespaces to work in when it starts again.
var ErrGranted = errors.New("a namespace that was left out may be read now: starting again with it")

// rechecks is how often those that are left out are looked at again, and atOnce
// how many questions are asked at a time.
const (
	rechecks = 15 * time.Second
	atOnce   = 8
)

// need is what the operator does in a namespace that it watches, as the rules of
// config/namespaced/watched say it.
type need struct {
	group, resource, subresource string
	verbs                        []string
}

var needs = []need{
	{"", "secrets", "", []string{"get", "list", "watch"}},
	{v1alpha1.GroupVersion.Group, "applicationconnectors", "", []string{"list", "watch"}},
	{v1alpha1.GroupVersion.Group, "concurconnections", "", []string{"list", "patch", "watch"}},
	{v1alpha1.GroupVersion.Group, "eventsubscriptions", "", []string{"list", "patch", "watch"}},
	{v1alpha1.GroupVersion.Group, "applicationconnectors", "status", []string{"patch"}},
	{v1alpha1.GroupVersion.Group, "concurconnections", "status", []string{"patch"}},
	{v1alpha1.GroupVersion.Group, "eventsubscriptions", "status", []string{"patch"}},
	{"events.k8s.io", "events", "", []string{"create"}},
}

// Lack is what the operator may not do in a namespace.
type Lack struct {
	// Namespace is where.
	Namespace string
	// Missing are the permissions, such as "list secrets" or "patch eventsubscriptions/status", in the order of the rules.
	Missing []string
	// Blind says that reading is among them, so that the namespace cannot be watched.
	Blind bool
}

// Reviewer asks the API server what the caller may do.
type Reviewer interface {
	Create(ctx context.Context, review *authorizationv1.SelfSubjectAccessReview, options metav1.CreateOptions) (*authorizationv1.SelfSubjectAccessReview, error)
}

// Check returns what is missing in the namespaces given, in their order; a namespace
// where nothing is missing is left out. The error is that of the API server.
func Check(ctx context.Context, reviews Reviewer, namespaces []string) ([]Lack, error) {
	lacks := make([]Lack, len(namespaces))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, namespace := range namespaces {
		group.Go(func() (err error) {
			lacks[i], err = check(ctx, reviews, namespace)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("asking the API server what the manager may do: %w", err)
	}
	return slices.DeleteFunc(lacks, func(l Lack) bool { return len(l.Missing) == 0 }), nil
}

// check asks about one namespace.
func check(ctx context.Context, reviews Reviewer, namespace string) (Lack, error) {
	lack := Lack{Namespace: namespace}
	for _, n := range needs {
		for _, verb := range n.verbs {
			answer, err := reviews.Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: verb, Group: n.group, Resource: n.resource, Subresource: n.subresource,
				},
			}}, metav1.CreateOptions{})
			if err != nil {
				return Lack{}, err
			}
			if !answer.Status.Allowed {
				lack.Missing = append(lack.Missing, n.say(verb))
				lack.Blind = lack.Blind || verb == "list" || verb == "watch"
			}
		}
	}
	return lack, nil
}

func (n need) say(verb string) string {
	if n.subresource != "" {
		return verb + " " + n.resource + "/" + n.subresource
	}
	return verb + " " + n.resource
}

// Waiter waits until a namespace that was left out may be read. It is a Runnable of
// the manager, and runs without being the leader: a standby has to start again as well.
type Waiter struct {
	// Reviews asks the API server.
	Reviews Reviewer
	// LeftOut are the namespaces, at least one.
	LeftOut []string
}

// NeedLeaderElection says no.
func (*Waiter) NeedLeaderElection() bool { return false }

// Start returns ErrGranted when one of the namespaces may be read, and nil when ctx ends.
func (w *Waiter) Start(ctx context.Context) error {
	log := ctrl.LoggerFrom(ctx)
	tick := time.NewTicker(rechecks)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		lacks, err := Check(ctx, w.Reviews, w.LeftOut)
		switch {
		case err != nil:
			log.Error(err, "looking for permissions in namespaces that are left out") // and tries again
		case len(Blind(lacks)) < len(w.LeftOut):
			return ErrGranted
		}
	}
}

// Blind are the namespaces in which the operator may not read.
func Blind(lacks []Lack) []string {
	var names []string
	for _, l := range lacks {
		if l.Blind {
			names = append(names, l.Namespace)
		}
	}
	return names
}
