package access

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// authorizer answers from a rule; test/privileges asks a real API server.
type authorizer func(authorizationv1.ResourceAttributes) (allowed bool, err error)

func (a authorizer) Create(_ context.Context, review *authorizationv1.SelfSubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SelfSubjectAccessReview, error) {
	answer := review.DeepCopy()
	var err error
	answer.Status.Allowed, err = a(*review.Spec.ResourceAttributes)
	return answer, err
}

func TestCheck(t *testing.T) {
	t.Parallel()
	down := errors.New("no answer")
	tests := map[string]struct {
		reason string
		rule   authorizer
		want   []Lack
		err    error
	}{
		"All": {
			reason: "nothing to complain about",
			rule:   func(authorizationv1.ResourceAttributes) (bool, error) { return true, nil },
			want:   []Lack{},
		},
		"OneNamespaceWithout": {
			reason: "it must not be among those that a cache waits for",
			rule:   func(a authorizationv1.ResourceAttributes) (bool, error) { return a.Namespace != "travel", nil },
			want: []Lack{{Namespace: "travel", Blind: true, Missing: []string{
				"get secrets", "list secrets", "watch secrets", "list applicationconnectors", "watch applicationconnectors",
				"list concurconnections", "patch concurconnections", "watch concurconnections",
				"list eventsubscriptions", "patch eventsubscriptions", "watch eventsubscriptions",
				"patch applicationconnectors/status", "patch concurconnections/status", "patch eventsubscriptions/status", "create events",
			}}},
		},
		"OldRole": {
			reason: "a Role of an older release lacks something: the namespace is served as far as it goes",
			rule:   func(a authorizationv1.ResourceAttributes) (bool, error) { return a.Resource != "events", nil },
			want:   []Lack{{Namespace: "finance", Missing: []string{"create events"}}, {Namespace: "travel", Missing: []string{"create events"}}},
		},
		"NoAnswer": {
			reason: "what is not known is not denied",
			rule:   func(authorizationv1.ResourceAttributes) (bool, error) { return false, down },
			err:    down,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Check(t.Context(), tt.rule, []string{"finance", "travel"})
			if !errors.Is(err, tt.err) {
				t.Fatalf("the error is %v, want %v: %s", err, tt.err, tt.reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// TestNeedsAreTheRole holds what is asked for against the Role that grants it.
func TestNeedsAreTheRole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config/namespaced/watched/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		t.Fatal(err)
	}
	var granted, asked []string
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				granted = append(granted, rule.APIGroups[0]+": "+verb+" "+resource)
			}
		}
	}
	for _, n := range needs {
		for _, verb := range n.verbs {
			asked = append(asked, n.group+": "+n.say(verb))
		}
	}
	slices.Sort(granted)
	slices.Sort(asked)
	if diff := cmp.Diff(granted, asked); diff != "" {
		t.Errorf("what the Role grants, and what is asked for (-role +asked):\n%s", diff)
	}
}

func TestWaiterEndsWhenANamespaceMayBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, down := 0, errors.New("no answer")
		waiter := &Waiter{LeftOut: []string{"travel"}, Reviews: authorizer(func(a authorizationv1.ResourceAttributes) (bool, error) {
			asked++
			since := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) // when the bubble's clock starts
			switch {
			case since < time.Minute:
				return false, down
			case since < 2*time.Minute:
				return strings.HasPrefix(a.Resource, "events"), nil
			default:
				return true, nil
			}
		})}
		start := time.Now()
		if err := waiter.Start(t.Context()); !errors.Is(err, ErrGranted) {
			t.Errorf("the error is %v, want %v", err, ErrGranted)
		}
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("it took %s, want 2m0s", took)
		}
		if waiter.NeedLeaderElection() {
			t.Error("a standby would wait for ever")
		}
	})
}

func TestWaiterEndsWithTheManager(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	waiter := &Waiter{LeftOut: []string{"travel"}, Reviews: authorizer(func(authorizationv1.ResourceAttributes) (bool, error) { return true, nil })}
	if err := waiter.Start(ctx); err != nil {
		t.Errorf("the error is %v, want none: nobody asked for a new start", err)
	}
}
